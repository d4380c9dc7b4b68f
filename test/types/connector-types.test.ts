import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, '../..');
const connector = join(root, 'echo-connector');
const scratch = join(root, 'test/.artifacts', `connector-types-${process.pid}`);

/** What tsc has to say; nothing if all is well. */
async function tsc(...args: string[]): Promise<string> {
  return run(process.execPath, [require.resolve('typescript/bin/tsc'), '--noEmit', ...args], {
    cwd: root,
  }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout || String(error),
  );
}

describe('the types of the connector', () => {
  it('let through what a page may write, and nothing else', async () => {
    expect(await tsc('-p', 'test/types')).toBe('');
  }, 60_000);
});

describe('the built package', () => {
  beforeAll(async () => {
    if (!existsSync(join(connector, 'dist'))) await run(process.execPath, ['build.mjs'], { cwd: connector });
    await mkdir(scratch, { recursive: true });
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it('is sound in publint’s eyes', async () => {
    const publint = join(root, 'node_modules/.bin/publint');
    const { stdout } = await run(publint, ['--strict', '--level', 'warning'], { cwd: connector });
    expect(stdout).toContain('All good!');
  }, 60_000);

  it('is an ES module and a CommonJS module, with the same exports', async () => {
    const list = "import('node:module').then(() => console.log(Object.keys(m).sort().join()))";
    const esm = await run(process.execPath, [
      '--input-type=module',
      '-e',
      `import * as m from 'yamabiko-echo-connector'; ${list}`,
    ]);
    const cjs = await run(process.execPath, ['-e', `const m = require('yamabiko-echo-connector'); ${list}`]);
    expect(esm.stdout).toBe(cjs.stdout);
    expect(esm.stdout).toContain('YamabikoConnector');
  });

  it('is typed for both', async () => {
    const pages = ['mts', 'cts'].map((extension) => join(scratch, `page.${extension}`));
    const text = `import { YamabikoConnector, type YamabikoEcho } from 'yamabiko-echo-connector';
      declare const echo: YamabikoEcho;
      export const connector: YamabikoConnector = echo.connector;
      // @ts-expect-error: typed, not any
      connector.nothing();`;
    for (const page of pages) await writeFile(page, text);
    // Without skipLibCheck: the declarations themselves must hold.
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--lib', 'ES2022,DOM', '--target', 'ES2022'];
    const modules = ['--module', 'NodeNext', '--ignoreConfig', '--types', 'node'];
    expect(await tsc(...strict, ...modules, ...pages)).toBe('');
  }, 90_000);

  it('contains nothing of laravel-echo and nothing of the server', async () => {
    const { stdout } = await run(
      'grep',
      ['-rhoE', '(from|require\\(|import\\()\\s*[\'"][^.\'"][^\'"]*', 'dist'],
      {
        cwd: connector,
      },
    );
    const modules = new Set(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/^.*['"]/, '')),
    );
    expect([...modules]).toEqual(['socket.io-client']);
  });
});
