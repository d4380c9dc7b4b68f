import { authSettings } from './sections/auth.ts';
import { channelsSettings } from './sections/channels.ts';
import { connectionSettings } from './sections/connection.ts';
import { echoSettings } from './sections/echo.ts';
import { httpSettings } from './sections/http.ts';
import { jwtSettings } from './sections/jwt.ts';
import { logSettings } from './sections/log.ts';
import { presenceSettings } from './sections/presence.ts';
import { rawSettings } from './sections/raw.ts';
import { recoverySettings } from './sections/recovery.ts';
import { redisSettings } from './sections/redis.ts';
import { serverSettings } from './sections/server.ts';
import { webhooksSettings } from './sections/webhooks.ts';
import type { Section, Setting, Slice } from './setting.ts';

/**
 * Every setting there is. The validator, the flags, `yamabiko config` and docs/settings.md are all made from
 * this table, so that a default has one place.
 */
export const settings = {
  server: serverSettings,
  redis: redisSettings,
  jwt: jwtSettings,
  auth: authSettings,
  connection: connectionSettings,
  http: httpSettings,
  echo: echoSettings,
  raw: rawSettings,
  channels: channelsSettings,
  presence: presenceSettings,
  recovery: recoverySettings,
  webhooks: webhooksSettings,
  log: logSettings,
} as const satisfies Record<string, Section>;

type Table = typeof settings;
export type SectionName = keyof Table;

/** What the table says, before the rules of `rules.ts` filled in what depends on other settings. */
export type RawConfig = { -readonly [S in SectionName]: Slice<Table[S]> };

/** What is in force: deep-frozen, one slice for each part. */
export interface Config {
  /** NODE_ENV is not `production` and no key for tokens is set: this machine only, a random secret, the demo on. */
  readonly development: boolean;
  readonly server: Slice<Table['server']>;
  readonly redis: Slice<Table['redis']> & { readonly broadcastPrefix: string };
  /** `secrets` holds the random one in development mode; `publicKey` is PEM text. */
  readonly jwt: Slice<Table['jwt']>;
  readonly auth: Slice<Table['auth']>;
  readonly connection: Slice<Table['connection']>;
  readonly http: Slice<Table['http']>;
  readonly echo: Slice<Table['echo']>;
  readonly raw: Slice<Table['raw']>;
  readonly channels: Slice<Table['channels']>;
  readonly presence: Slice<Table['presence']>;
  readonly recovery: Slice<Table['recovery']>;
  readonly webhooks: Slice<Table['webhooks']>;
  readonly log: Slice<Table['log']> & { readonly format: 'pretty' | 'json' };
}

export interface NamedSetting {
  /** `section.name`, as in the config file. */
  readonly path: string;
  readonly section: SectionName;
  readonly name: string;
  readonly setting: Setting<unknown>;
}

/** The table's rows, in its order. */
export const allSettings: readonly NamedSetting[] = Object.entries(settings).flatMap(([section, rows]) =>
  Object.entries(rows as Section).map(([name, setting]) => ({
    path: `${section}.${name}`,
    section: section as SectionName,
    name,
    setting,
  })),
);
