import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ICruiseResult } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { output, root } from './project-files.ts';

const config = join(root, '.dependency-cruiser.cjs');
const { forbidden } = createRequire(import.meta.url)(config) as { forbidden: { name: string }[] };

it('every import goes in its direction, and every library has one home', async () => {
  const { status, text } = await output('npm', ['run', '--silent', 'imports']);
  expect(text).toMatch(/\d+ modules, \d+ dependencies cruised/);
  expect(status, text).toBe(0);
});

// A rule whose pattern matches nothing passes for ever: each must catch the one mistake that it is for.
describe('the rules of import direction', () => {
  const value = (path: string) => `import { x } from '${path}';\nexport const y = x;\n`;
  const type = (path: string) => `import type { x } from '${path}';\nexport type Y = typeof x;\n`;
  const library = (name: string) => `import * as library from '${name}';\nexport const y = library;\n`;

  const mistakes: Record<string, readonly [file: string, source: string]> = {
    'no-cycles': ['server/hub/one.ts', value('./two.ts')],
    resolvable: ['server/hub/lost.ts', value('./nowhere.ts')],
    'domain-imports-nothing': ['server/domain/word.ts', library('node:fs')],
    'parts-know-only-domain': ['server/hub/part.ts', type('../broker/x.ts')],
    'logger-and-metrics-know-only-domain': ['server/metrics/metrics.ts', type('../hub/x.ts')],
    'flows-know-domain-and-parts': ['server/flows/flow.ts', type('../protocols/raw/x.ts')],
    'protocols-know-domain-and-flows': ['server/protocols/echo/echo.ts', type('../raw/x.ts')],
    'protocols-know-parts-by-type-only': ['server/protocols/raw/raw.ts', value('../../hub/x.ts')],
    'http-knows-no-protocol': ['server/http/app.ts', type('../protocols/raw/x.ts')],
    'http-knows-parts-by-type-only': ['server/http/health.ts', value('../broker/x.ts')],
    'pages-know-only-domain-and-flows': ['server/pages/demo/page.ts', type('../../hub/x.ts')],
    'config-knows-only-domain': ['config/table.ts', type('../server/hub/x.ts')],
    'only-server-imports-all': ['server/main.ts', value('./hub/x.ts')],
    'nobody-imports-server': ['server/flows/wired.ts', value('../server.ts')],
    'server-knows-no-test': ['server/server.ts', `${value('../test/x.ts')}`],
    'connector-stands-alone': ['echo-connector/src/wire.ts', type('../../server/domain/x.ts')],
    'ioredis-has-one-home': ['server/flows/redis.ts', library('ioredis')],
    'jose-has-one-home': ['server/flows/jose.ts', library('jose')],
    'undici-has-one-home': ['server/flows/undici.ts', library('undici')],
    'p-limit-has-one-home': ['server/flows/limit.ts', library('p-limit')],
    'pino-has-one-home': ['server/flows/pino.ts', library('pino')],
    'prom-client-has-one-home': ['server/flows/prom.ts', library('prom-client')],
    'ws-has-one-home': ['server/protocols/echo/ws.ts', library('ws')],
    'socket.io-has-one-home': ['server/protocols/raw/io.ts', library('@socket.io/redis-adapter')],
    'express-has-one-home': ['server/protocols/echo/session.ts', type('express')],
    'zod-has-one-home': ['server/flows/zod.ts', library('zod')],
    'commander-has-one-home': ['server/flows/commander.ts', library('commander')],
    'dotenv-has-one-home': ['server/flows/dotenv.ts', library('dotenv')],
  };

  const targets = ['hub', 'broker', 'domain', 'protocols/raw'].map((folder) => `server/${folder}/x.ts`);
  let folder: string;
  let caught: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yamabiko-imports-'));
    const files = new Map<string, string>(Object.values(mistakes));
    files.set('server/hub/two.ts', value('./one.ts'));
    for (const target of [...targets, 'test/x.ts']) files.set(target, 'export const x = 1;\n');
    files.set('tsconfig.json', await readFile(join(root, 'tsconfig.json'), 'utf8'));
    for (const [file, source] of files) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), source);
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const depcruise = join(root, 'node_modules/.bin/depcruise');
    const { stdout } = await output(
      depcruise,
      ['--config', config, '--output-type', 'json', 'server', 'config', 'echo-connector'],
      folder,
    );
    const { summary } = JSON.parse(stdout) as ICruiseResult;
    caught = summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(forbidden)('$name catches its mistake', ({ name }) => {
    expect(caught).toContain(`${name}: ${mistakes[name]?.[0]}`);
  });
});
