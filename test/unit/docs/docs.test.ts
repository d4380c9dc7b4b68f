import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'dotenv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allSettings } from '../../../config/settings.ts';
import { ChannelDefinitions } from '../../../server/channels/channel-definitions.ts';
import { greeting } from '../../../server/cli/greeting.ts';
import { createProgram } from '../../../server/cli/program.ts';
import { catalogue } from '../../../server/domain/catalogue.ts';
import { isReservedEvent } from '../../../server/protocols/echo/reserved-events.ts';
import { output, readProjectFile, root } from '../../architecture/project-files.ts';
import { loaded } from '../config/config-folder.ts';
import { anchors, codeBlocks, inlineCode, localLinks } from './markdown.ts';

const PAGES = [
  'README.md',
  'docs/protocol.md',
  'docs/settings.md',
  'docs/codes.md',
  'docs/production.md',
  'docs/delivery.md',
  'docs/moving.md',
  'docs/laravel.md',
  'docs/replication.md',
  'server/protocols/echo/README.md',
  'server/protocols/raw/README.md',
  'echo-connector/README.md',
];

const readme = await readProjectFile('README.md');
const protocol = await readProjectFile('docs/protocol.md');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yamabiko-docs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes the code to a file and has it checked. @returns what the checker says of a wrong one, else null */
async function complaint(program: string, flag: string, name: string, code: string): Promise<string | null> {
  const file = join(folder, name);
  await writeFile(file, code);
  const { status, text } = await output(program, [flag, file]);
  return status === 0 ? null : text;
}

describe.each(PAGES)('%s', (page) => {
  it('links only to what is there', async () => {
    const wrong: string[] = [];
    for (const link of localLinks(await readProjectFile(page))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) wrong.push(link);
      else if (anchor !== undefined && !anchors(await readProjectFile(target)).has(anchor)) wrong.push(link);
    }
    expect(wrong).toEqual([]);
  });

  it('names only settings that there are', async () => {
    const text = await readProjectFile(page);
    const variables = new Set(allSettings.map(({ setting }) => setting.env));
    const named = [...text.matchAll(/(?<![A-Z_])YAMABIKO_[A-Z_]*[A-Z]/g)].map(([name]) => name);
    expect(named.filter((name) => !variables.has(name))).toEqual([]);
    const sections = [...new Set(allSettings.map(({ section }) => section))].join('|');
    const paths = inlineCode(text).filter((code) => new RegExp(`^(?:${sections})\\.\\w+$`).test(code));
    // `auth` is a section of the settings, and on the wire an argument.
    const known = new Set([...allSettings.map(({ path }) => path), 'auth.token', 'auth.headers']);
    expect(paths.filter((path) => !known.has(path) && !path.endsWith('.ts'))).toEqual([]);
  });

  it('shows only PHP and JavaScript that parse', async () => {
    const text = await readProjectFile(page);
    for (const { code } of codeBlocks(text, 'php')) {
      const isEntry = /^'\w+' => /.test(code);
      const whole = isEntry ? `<?php return [${code}];` : `<?php\n${code}`;
      expect(await complaint('php', '-l', 'snippet.php', whole)).toBeNull();
    }
    for (const { code } of codeBlocks(text, 'js'))
      expect(await complaint(process.execPath, '--check', 'snippet.mjs', code)).toBeNull();
  });

  it('shows only JSON that parses, save where dots leave something out', async () => {
    const text = await readProjectFile(page);
    const inline = inlineCode(text).filter((code) => code.startsWith('{"') && !code.includes('...'));
    const whole = [...inline, ...codeBlocks(text, 'json').map(({ code }) => code)];
    const wrong = whole.filter((code) => {
      // `{"a", "b"}` names keys; it claims no values.
      if (/^\{("\w+"(, ?)?)+\}$/.test(code) || /\{"\w+"[,}]/.test(code)) return false;
      try {
        JSON.parse(code);
        return false;
      } catch {
        return true;
      }
    });
    expect(wrong).toEqual([]);
  });
});

describe("the README's token route", () => {
  it('is the one that the tests run on a real Laravel, save for its secret and time', async () => {
    const tested = await readProjectFile('test/laravel/app/routes/web.php');
    const route = /^Route::post\('\/yamabiko\/token'.*?^\]\);$/ms;
    const expected = route
      .exec(tested)?.[0]
      .replace("(int) env('JWT_TTL', 3600)", '3600')
      .replace(/env\('JWT_SECRET', '[^']+'\)/, "config('services.yamabiko.secret')");
    expect(expected).toContain("config('services.yamabiko.secret')");
    expect(route.exec(readme)?.[0]).toBe(expected);
  });

  it('signs as the tested one does', async () => {
    const tested = await readProjectFile('test/laravel/app/app/classes.php');
    const signer = /^\/\*\* HS256 JWT.*?^}$/ms;
    expect(signer.exec(tested)?.[0]).toContain('hash_hmac');
    expect(signer.exec(readme)?.[0]).toBe(signer.exec(tested)?.[0]);
  });
});

describe('what the README says', () => {
  it('of the terminal is what the terminal says', () => {
    const { config } = loaded({});
    const [shown] = codeBlocks(readme, 'text');
    const said = greeting(config, 'http://127.0.0.1:6001', '0.1.0').split('\n');
    expect(shown?.code.trim().split('\n').length).toBeGreaterThan(3);
    expect(shown?.code.split('\n').filter((line) => !said.includes(line))).toEqual([]);
  });

  it('to set in production is what a server starts with', () => {
    const [shown] = codeBlocks(readme, 'ini');
    const variables = parse(shown?.code ?? '');
    expect(variables).toMatchObject({ NODE_ENV: 'production', YAMABIKO_JWT_SECRET: '' });
    const { config } = loaded({ env: { ...variables, YAMABIKO_JWT_SECRET: 's'.repeat(32) } });
    expect(config.http.origins).toEqual([variables.YAMABIKO_ORIGINS]);
    expect(config.http.trustedProxies).toEqual([variables.YAMABIKO_TRUSTED_PROXIES]);
    expect(config.development).toBe(false);
  });

  it('of Debian packages is what is installed', async () => {
    const script = await readProjectFile('test/setup/system-packages.sh');
    const packages = /^packages='([^']+)'$/m.exec(script)?.[1]?.split(' ') ?? [];
    const sentence = /installs what is missing of (.*?), and starts none/s.exec(readme)?.[1] ?? '';
    expect(sentence.split(/,\s+| and /)).toEqual(packages);
  });

  it('of commands is what the command line has', () => {
    const nowhere = { out: () => {}, err: () => {} } as unknown as Parameters<
      typeof createProgram
    >[0]['terminal'];
    const program = createProgram({ terminal: nowhere, loadServer: () => Promise.reject(), exit: () => {} });
    const flags = new Map(program.commands.map((c) => [c.name(), c.options.map(({ long }) => long)]));
    const shown = codeBlocks(readme, 'sh').flatMap(({ code }) => code.match(/npx yamabiko .+/g) ?? []);
    expect(shown.length).toBeGreaterThan(1);
    for (const line of shown) {
      const [, , command = ''] = line.split(' ');
      expect([...flags.keys()]).toContain(command);
      expect(flags.get(command)).toEqual(expect.arrayContaining(line.match(/--[\w-]+/g) ?? []));
    }
  });
});

describe('docs/protocol.md', () => {
  const rows = [...protocol.matchAll(/^\| (\d{4}) \| (.+?) \|/gm)];

  it('has every close code, with codes that close so', () => {
    const closing = Object.entries(catalogue).filter(([, { close }]) => close !== null);
    expect(new Set(rows.map(([, close]) => Number(close)))).toEqual(
      new Set(closing.map(([, { close }]) => close)),
    );
    for (const [, close, text = ''] of rows)
      for (const code of inlineCode(text).filter((name) => name in catalogue))
        expect(catalogue[code as keyof typeof catalogue].close, code).toBe(Number(close));
  });

  it('shows a definition that does what it says', () => {
    const [shown] = codeBlocks(protocol, 'json');
    const { config } = loaded({ files: { 'yamabiko.config.json': shown?.code ?? '' } });
    const channels = new ChannelDefinitions(config.channels.definitions);
    expect(channels.of('notes:1').definition.clientSend).toBe(true);
    expect(channels.shape('notes:1', '{"text":"hi","to":2}')).toEqual({
      ok: true,
      data: '{"text":"hi"}',
      userId: '2',
    });
    expect(channels.shape('notes:1', '{"text":1}')).toMatchObject({ code: 'invalid_data' });
    expect(channels.of('progress:1').definition).toMatchObject({ users: false, clientSend: false });
    expect(channels.shape('progress:1', '{}')).toMatchObject({ code: 'invalid_data' });
  });

  it('names exactly the events that Socket.IO cannot carry', () => {
    const sentence = /^\*\*Names that cannot arrive\*\*:.*?dropped/ms.exec(protocol)?.[0] ?? '';
    const names = inlineCode(sentence).map((name) => name.replace('*', 'x'));
    expect(names).toHaveLength(8);
    expect(names.filter((name) => !isReservedEvent(name))).toEqual([]);
  });
});
