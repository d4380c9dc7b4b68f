import { parseUrl } from '../../../../config/kinds.ts';
import { type Check, fault, note, ok, warning } from '../check.ts';

/** Whether the app's own pages may connect. */
export const originsCheck: Check = {
  name: 'origins',
  run: async ({ config: { http }, appUrl, publicUrl }) => {
    if (http.origins.some((origin) => origin === '*'))
      return [
        warning(
          'pages of every site may connect, with the cookies of whoever looks at them',
          `set YAMABIKO_ORIGINS=${originOf(appUrl) ?? 'https://www.example.com'}`,
        ),
      ];
    const page = originOf(appUrl);
    if (page === null)
      return appUrl === null
        ? []
        : [fault(`APP_URL=${appUrl} is no address`, 'write it as https://www.example.com')];
    if (http.origins.some((origin) => origin === page)) return [ok(`pages of ${page} may connect`)];
    const cure = `set YAMABIKO_ORIGINS=${page}`;
    const server = publicUrl === null ? null : new URL(publicUrl).hostname;
    if (server === null)
      return [
        note(
          `pages of ${page} may connect only where they reach the server by the same host name`,
          `else ${cure}; --url says how they reach it`,
        ),
      ];
    return server === new URL(page).hostname
      ? [ok(`pages of ${page} may connect, being of the server's own host`)]
      : [fault(`pages of ${page} may not connect to ${server}`, cure)];
  },
};

function originOf(url: string | null): string | null {
  const parsed = url === null ? null : parseUrl(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol) ? parsed.origin : null;
}
