import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../config/load-config.ts';
import { folderWith, loaded, mistakesOf, originOf } from './config-folder.ts';

const file = (port: number | string) => ({ 'yamabiko.config.json': JSON.stringify({ server: { port } }) });

describe('where a value comes from', () => {
  const all = {
    files: { ...file(1), '.env': 'YAMABIKO_PORT=2' },
    env: { YAMABIKO_PORT: '3' },
    flags: { 'server.port': '4' },
  };

  it.each([
    ['flags win', all, 4, 'flag: --port'],
    ['then the environment', { ...all, flags: {} }, 3, 'environment: YAMABIKO_PORT'],
    ['then .env', { ...all, flags: {}, env: {} }, 2, '.env: YAMABIKO_PORT (.env)'],
    ['then the config file', { files: file(1) }, 1, 'file: server.port (yamabiko.config.json)'],
    ['then the default', {}, 6001, 'default: server.port'],
  ])('%s', (_, given, port, origin) => {
    expect(loaded(given).config.server.port).toBe(port);
    expect(originOf('server.port', given)).toBe(origin);
  });

  it('is not a variable that is empty: it does not hide what comes before', () => {
    expect(loaded({ files: file(1), env: { YAMABIKO_PORT: '' } }).config.server.port).toBe(1);
  });

  it('can be a file of another name, which must then be there', () => {
    expect(
      loaded({ files: { 'other.json': '{"server":{"port":5}}' }, configFile: 'other.json' }).config.server
        .port,
    ).toBe(5);
    expect(mistakesOf({ configFile: 'none.json' })).toEqual([
      '--config none.json: cannot be read (ENOENT) [null]',
    ]);
  });

  it('is told for a value that development mode chose', () => {
    expect(originOf('server.host', {})).toBe('development mode: server.host');
    expect(originOf('jwt.secrets', {})).toBe('development mode: jwt.secrets');
  });

  it('leaves the process as it was', () => {
    const before = { ...process.env };
    loaded({ files: { '.env': 'YAMABIKO_PORT=2\nYAMABIKO_HOST=127.0.0.2' } });
    expect(process.env).toEqual(before);
  });
});

describe('names that no setting has', () => {
  it('are mistakes, with what was meant', () => {
    expect(
      mistakesOf({
        files: {
          'yamabiko.config.json': '{"server":{"prot":1},"serve":{},"zzzzzz":{},"jwt":{"nothingLike":1}}',
          '.env': 'YAMABIKO_HOTS=x',
        },
        env: { YAMABIKO_PROT: '1' },
      }),
    ).toEqual([
      'server.prot (yamabiko.config.json): is no setting; did you mean server.port? [null]',
      'serve (yamabiko.config.json): is no setting; did you mean server? [null]',
      'zzzzzz (yamabiko.config.json): is no setting [null]',
      'jwt.nothingLike (yamabiko.config.json): is no setting [null]',
      'YAMABIKO_HOTS (.env): is no setting; did you mean YAMABIKO_HOST? [null]',
      'YAMABIKO_PROT: is no setting; did you mean YAMABIKO_PORT? [null]',
    ]);
  });

  it("are warned of where a variable is like none of ours: it may be another program's", () => {
    expect(loaded({ env: { YAMABIKO_COMPLETELY_DIFFERENT_THING: '1' } }).warnings).toContain(
      'YAMABIKO_COMPLETELY_DIFFERENT_THING is no setting',
    );
  });

  it('are none of ours where Kubernetes gives them, beside a Service named yamabiko', () => {
    const given = loaded({
      env: {
        YAMABIKO_SERVICE_HOST: '10.0.0.1',
        YAMABIKO_SERVICE_PORT: '6001',
        YAMABIKO_SERVICE_PORT_HTTP: '6001',
        YAMABIKO_PORT: 'tcp://10.0.0.1:6001',
        YAMABIKO_PORT_6001_TCP: 'tcp://10.0.0.1:6001',
        YAMABIKO_PORT_6001_TCP_ADDR: '10.0.0.1',
        YAMABIKO_PORT_6001_TCP_PORT: '6001',
        YAMABIKO_PORT_6001_TCP_PROTO: 'tcp',
      },
    });
    expect(given.ok && given.config.server.port).toBe(6001);
    expect(given.ok && given.warnings).not.toContainEqual(expect.stringContaining('is no setting'));
  });

  it('are none of ours without the prefix', () => {
    expect(loaded({ env: { PORT: 'x', VITE_YAMABIKO_HOST: 'x' }, files: { '.env': 'APP_KEY=x' } }).ok).toBe(
      true,
    );
  });

  it.each(['constructor', '__proto__', 'toString'])('%s is no section', (name) => {
    expect(mistakesOf({ files: { 'yamabiko.config.json': `{"${name}":{}}` } })).toHaveLength(1);
  });
});

describe('a config file', () => {
  it.each([
    ['{"server":{"port":1,}}', 'yamabiko.config.json: must be valid JSON'],
    ['', 'yamabiko.config.json: must be valid JSON'],
    ['[]', 'yamabiko.config.json: must hold one JSON object'],
    ['null', 'yamabiko.config.json: must hold one JSON object'],
    ['{"server":5}', "server (yamabiko.config.json): must be an object of server's settings"],
    ['{"server":null}', "server (yamabiko.config.json): must be an object of server's settings"],
  ])('of %j is a mistake', (text, problem) => {
    const [line, ...others] = mistakesOf({ files: { 'yamabiko.config.json': text } });
    expect(line).toContain(problem);
    expect(others).toEqual([]);
  });

  it('that is broken is not quoted: it may hold a secret', () => {
    const lines = mistakesOf({ files: { 'yamabiko.config.json': '{"jwt":{"secrets":hidden-secret}}' } });
    expect(lines.join()).not.toContain('hidden');
  });

  it('may begin with a byte order mark, and null leaves a setting out', () => {
    const files = { 'yamabiko.config.json': '\uFEFF{"server":{"port":7,"host":null}}' };
    expect(loaded({ files }).config.server).toMatchObject({ port: 7, host: '127.0.0.1' });
  });

  it('that cannot be read is a mistake, though nobody named it', () => {
    const cwd = folderWith({});
    mkdirSync(join(cwd, '.env'));
    expect(loadConfig({ cwd, env: {} })).toMatchObject({
      ok: false,
      mistakes: [{ setting: '.env', problem: 'cannot be read (EISDIR)' }],
    });
  });
});

describe('mistakes', () => {
  it('are told all at once, from every source, each under the name that it was written with', () => {
    const names = mistakesOf({
      files: { ...file('x'), '.env': 'YAMABIKO_HOST=a b' },
      env: { YAMABIKO_DRAIN_MS: '-1', YAMABIKO_JWT_PUBLIC_KEY: '/nowhere.pem' },
      flags: { 'log.level': 'loud' },
    }).map((line) => line.split(':')[0]);
    expect(names).toEqual([
      'server.port (yamabiko.config.json)',
      'YAMABIKO_HOST (.env)',
      'YAMABIKO_DRAIN_MS',
      '--log-level',
      'YAMABIKO_JWT_PUBLIC_KEY',
    ]);
  });

  it('are told of a value too that another one overrides', () => {
    expect(mistakesOf({ files: file('x'), env: { YAMABIKO_PORT: '1' } })).toHaveLength(1);
  });
});
