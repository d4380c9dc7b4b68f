import { changed, type Fate, kept, type OldConfig, type OldOption, wrong } from '../old-option.ts';

const DEFAULT_HOST = 'http://localhost';
const DEFAULT_ENDPOINT = '/broadcasting/auth';

/** Where Laravel is asked. */
export const laravelOptions: readonly OldOption[] = [
  {
    path: 'authHost',
    given: (value, old) => {
      const hosts = Array.isArray(value) ? value : [value];
      const [host] = hosts;
      if (typeof host !== 'string' || host === '') return wrong('must be the address of Laravel, or a list');
      // `.example.com` there meant: whatever host of that domain the client says that its page has.
      if (host.startsWith('.'))
        return wrong(
          'begins with a suffix: put the whole address of Laravel first, as https://www.example.com',
        );
      return asked(host, hosts.length, old);
    },
    absent: (old) => asked(DEFAULT_HOST, 1, old),
  },
  {
    path: 'authEndpoint',
    given: (value) =>
      typeof value === 'string' && value.startsWith('/')
        ? kept({}, 'in auth.url')
        : wrong('must be a path that begins with /'),
  },
];

function asked(host: string, hostCount: number, old: OldConfig): Fate {
  const url = host.replace(/\/+$/, '') + (old.text('authEndpoint') ?? DEFAULT_ENDPOINT);
  const settings = { 'auth.url': url };
  const differences: string[] = [];
  if (hostCount > 1)
    differences.push(
      'the first address is asked alone: which one to ask was chosen by the Referer, which the client writes; run a server for each of the others',
    );
  if (url.startsWith('https:'))
    differences.push(
      "Laravel's certificate is verified now: for an authority of your own set NODE_EXTRA_CA_CERTS",
    );
  return differences.length === 0 ? kept(settings) : changed(differences.join('; '), settings);
}
