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

/** Its own way to read a port: the last two to five digits of whatever stands there. */
const PORT = /([0-9]{2,5})\/?$/;

const isHttps = (old: OldConfig) => old.text('protocol') === 'https';

const tlsFile = (path: string, setting: string): OldOption => ({
  path,
  given: (value, old) =>
    isHttps(old)
      ? kept({ [setting]: value }, 'read again when it changes')
      : dropped('not used, as before: protocol is http'),
});

/** Where and how it listens. */
export const portOptions: readonly OldOption[] = [
  { path: 'host', given: (value) => kept({ 'server.host': value }) },
  {
    path: 'port',
    given: (value) => {
      const port = PORT.exec(String(value))?.[1];
      return port === undefined ? wrong('must be a port number') : kept({ 'server.port': port });
    },
  },
  {
    path: 'protocol',
    given: (value, old) => {
      if (value !== 'http' && value !== 'https') return wrong('must be http or https');
      if (value === 'https' && (old.get('sslCertPath') === undefined || old.get('sslKeyPath') === undefined))
        return wrong('is https, but sslCertPath or sslKeyPath is not set');
      return kept(
        {},
        value === 'https' ? 'by server.tlsCert and server.tlsKey' : 'as here without server.tlsCert',
      );
    },
  },
  tlsFile('sslCertPath', 'server.tlsCert'),
  tlsFile('sslKeyPath', 'server.tlsKey'),
  tlsFile('sslCertChainPath', 'server.tlsChain'),
  tlsFile('sslPassphrase', 'server.tlsPassphrase'),
  { path: 'secureOptions', given: () => dropped('TLS 1.2 and later are spoken, whatever stood here') },
  {
    path: 'headers',
    given: (value) =>
      isObject(value) && Object.keys(value).length > 0
        ? changed('these headers are not sent: let the proxy in front add them')
        : dropped('none were sent'),
  },
  {
    path: 'devMode',
    given: (value) =>
      isOn(value)
        ? kept({ 'log.level': 'debug' })
        : kept({}, 'log.level is info; requests refused are logged'),
  },
];
