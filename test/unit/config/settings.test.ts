import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allSettings } from '../../../config/settings.ts';
import { codesPage, readmeWithTables, settingsPage } from '../../../server/cli/doc-tables.ts';
import { catalogue } from '../../../server/domain/catalogue.ts';
import { loaded } from './config-folder.ts';

const textOf = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('the table of settings', () => {
  it('has the names that are fixed, with their defaults', () => {
    const fixed: Record<string, unknown> = {
      YAMABIKO_HOST: '0.0.0.0',
      YAMABIKO_PORT: 6001,
      YAMABIKO_REDIS_URL: null,
      YAMABIKO_REDIS_PREFIX: 'laravel_database_',
      YAMABIKO_BROADCAST_PREFIX: null,
      YAMABIKO_JWT_SECRET: [],
      YAMABIKO_AUTH_URL: null,
      YAMABIKO_AUTH_TIMEOUT_MS: 10_000,
      YAMABIKO_APPS: [],
      YAMABIKO_NODE_TTL_MS: 10_000,
      YAMABIKO_ORIGINS: [],
      YAMABIKO_METRICS_KEY: null,
    };
    const table = Object.fromEntries(allSettings.map(({ setting }) => [setting.env, setting.default]));
    expect(table).toMatchObject(fixed);
  });

  it('names no variable and no flag twice', () => {
    for (const names of [
      allSettings.map(({ setting }) => setting.env),
      allSettings.map(({ setting }) => setting.flag),
    ]) {
      const given = names.filter((name) => name !== null);
      expect(new Set(given).size).toBe(given.length);
    }
  });

  it('has a default for each that its own check takes', () => {
    for (const { path, setting } of allSettings) {
      if (setting.default === null) continue;
      expect(setting.schema.safeParse(setting.default), path).toMatchObject({ success: true });
    }
  });

  it('tells a unit with every number that has one in its name, and a sentence for each setting', () => {
    for (const { path, setting } of allSettings) {
      if (/Ms$/.test(path)) expect(setting.unit, path).toBe('ms');
      if (/Bytes$/.test(path)) expect(setting.unit, path).toBe('bytes');
      expect(setting.doc, path).toMatch(/\.$/);
    }
  });

  it('gives no secret a flag, which every user of the machine could read', () => {
    expect(allSettings.filter(({ setting }) => setting.secret && setting.flag !== null)).toEqual([]);
  });

  it('shows no secret', () => {
    const env = {
      YAMABIKO_JWT_SECRET: 'hidden-hidden-hidden-hidden-hidden',
      YAMABIKO_REDIS_URL: 'redis://user:hidden@127.0.0.1',
      YAMABIKO_APPS: 'app:hidden',
      YAMABIKO_METRICS_KEY: 'hidden',
    };
    const { config } = loaded({ env });
    const shown = allSettings.map(({ section, name, setting }) =>
      setting.show((config[section] as Record<string, unknown>)[name]),
    );
    expect(JSON.stringify(shown)).not.toContain('hidden');
    expect(JSON.stringify(shown)).toContain('app:***');
  });
});

describe('the docs (npm run docs writes them)', () => {
  it('have the settings as they are', () => expect(textOf('docs/settings.md')).toBe(settingsPage()));
  it('have the codes as they are', () => expect(textOf('docs/codes.md')).toBe(codesPage()));

  it('have every setting and every code', () => {
    for (const { path } of allSettings) expect(settingsPage()).toContain(`\`${path}\``);
    for (const code of Object.keys(catalogue)) expect(codesPage()).toContain(`\`${code}\``);
  });

  it('stand in the README between its markers', () => {
    const readme = textOf('README.md');
    expect(readmeWithTables(readme)).toBe(readme);
  });

  it('replace what stands between markers, and nothing where there are none', () => {
    const filled = readmeWithTables('a\n<!-- codes -->old<!-- /codes -->\nb');
    expect(filled).toMatch(/^a\n<!-- codes -->\n\| code .*\|\n<!-- \/codes -->\nb$/s);
    expect(filled).not.toContain('old');
    expect(readmeWithTables(filled)).toBe(filled);
    expect(readmeWithTables('<!-- settings --> without an end')).toBe('<!-- settings --> without an end');
  });
});
