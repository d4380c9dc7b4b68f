import {
  changed,
  dropped,
  isObject,
  isOn,
  kept,
  type OldConfig,
  type OldOption,
  wrong,
} from '../old-option.ts';

const cors = (path: string): OldOption => ({
  path: `apiOriginAllow.${path}`,
  given: (_value, old) => dropped(isOn(old.get('apiOriginAllow.allowCors')) ? 'see allowCors' : 'was off'),
});

const isOff = (old: OldConfig, name: string) =>
  old.get('subscribers') !== undefined && !isOn(old.get(`subscribers.${name}`));

/** What Laravel, or a script, asks by HTTP. */
export const httpApiOptions: readonly OldOption[] = [
  {
    path: 'clients',
    given: (value) => {
      if (!Array.isArray(value)) return wrong('must be a list of {"appId": .., "key": ..}');
      const pairs: string[] = [];
      for (const client of value) {
        const { appId, key } = isObject(client) ? client : {};
        if (typeof appId !== 'string' || typeof key !== 'string')
          return wrong('must be a list of {"appId": .., "key": ..}, both text');
        pairs.push(`${appId}:${key}`);
      }
      return pairs.length === 0 ? kept({}, 'the HTTP API is closed') : kept({ 'http.apps': pairs });
    },
  },
  {
    path: 'subscribers',
    given: (_value, old) =>
      isOff(old, 'http') && isOff(old, 'redis')
        ? wrong('turns off both http and redis: nothing of Laravel would arrive')
        : kept(isOff(old, 'http') ? { 'echo.httpEvents': false } : {}, 'see its parts'),
  },
  {
    path: 'subscribers.http',
    given: (value) => kept({}, isOn(value) ? 'echo.httpEvents, on by default' : 'echo.httpEvents is off'),
  },
  {
    path: 'subscribers.redis',
    given: (value) => kept({}, isOn(value) ? 'by redis.url' : 'without redis.url'),
  },
  {
    path: 'apiOriginAllow.allowCors',
    given: (value) =>
      isOn(value)
        ? changed('the HTTP API answers no page: the key would lie open in it')
        : kept({}, 'the HTTP API answers no page here either'),
  },
  ...['allowOrigin', 'allowMethods', 'allowHeaders'].map(cors),
];
