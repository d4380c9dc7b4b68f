import { describe, expect, it } from 'vitest';
import { projectFiles, readProjectFile } from './project-files.ts';

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
}

const MAX_LINES = 250;

it(`no source file is longer than ${MAX_LINES} lines`, async () => {
  const files = await projectFiles('server/**/*.ts', 'config/**/*.ts', 'echo-connector/src/**/*.ts');
  const sizes = await Promise.all(
    files.map(async (file) => ({ file, lines: (await readProjectFile(file)).split('\n').length - 1 })),
  );
  expect(sizes.length).toBeGreaterThan(50);
  expect(sizes.filter(({ lines }) => lines > MAX_LINES)).toEqual([]);
});

describe('the lock file', () => {
  it('names no download host, so that every registry serves it', async () => {
    const lock = JSON.parse(await readProjectFile('package-lock.json')) as {
      packages: Record<string, { resolved?: string; link?: boolean }>;
    };
    const entries = Object.entries(lock.packages);
    expect(entries.length).toBeGreaterThan(100);
    expect(entries.filter(([, { resolved, link }]) => resolved !== undefined && link !== true)).toEqual([]);
    expect(await readProjectFile('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
  });
});

it('no file names a folder of the machine that it was written on', async () => {
  const ofAMachine = /(?<![\w.~-])\/(?:home|Users|root|work)\/\w/;
  const found: string[] = [];
  for (const file of await projectFiles()) {
    if (/\.(png|jpg|ico|woff2)$/.test(file)) continue;
    for (const [at, line] of (await readProjectFile(file)).split('\n').entries())
      if (ofAMachine.test(line)) found.push(`${file}:${at + 1} ${line.trim().slice(0, 120)}`);
  }
  expect(found).toEqual([]);
});

describe('the README', () => {
  it('has the two commands', async () => {
    const readme = await readProjectFile('README.md');
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
  });

  it('and docs/ name only npm scripts that there are', async () => {
    const { scripts } = JSON.parse(await readProjectFile('package.json')) as Package;
    const named = new Map<string, string>();
    for (const file of await projectFiles('README.md', 'docs/**/*.md', 'CONTRIBUTING.md'))
      for (const [, script = ''] of (await readProjectFile(file)).matchAll(
        /\bnpm (?:run |(?=start\b|test\b))([\w:-]+)/g,
      ))
        named.set(script, file);
    expect([...named.keys()]).toEqual(expect.arrayContaining(['start', 'test']));
    expect([...named].filter(([script]) => !(script in scripts))).toEqual([]);
  });
});
