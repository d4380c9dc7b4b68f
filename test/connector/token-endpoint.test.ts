// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import type { YamabikoOptions } from '../../echo-connector/src/index.ts';
import { atEnd, openEcho, recorder, startServer } from './support/echo.ts';
import type { ScriptedServer } from './support/scripted-server.ts';

interface Page {
  readonly document: { cookie: string; head: { innerHTML: string } };
  readonly happyDOM: { setURL(url: string): void };
  Laravel?: { csrfToken: string } | undefined;
}

const page = globalThis as unknown as Page;

/** A page of Laravel's, on the server's own origin. */
async function openPage(options: YamabikoOptions = {}) {
  const server = await startServer();
  page.happyDOM.setURL(`${server.url}/dashboard/`);
  atEnd(() => {
    page.document.cookie = 'XSRF-TOKEN=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/';
    page.document.head.innerHTML = '';
    page.Laravel = undefined;
  });
  return { server, open: () => openEcho({ host: server.url, ...options }) };
}

const give = (server: ScriptedServer, ...answers: Array<[number, unknown]>) => {
  server.tokenAnswer = () => answers.shift() ?? [200, { token: 'good' }];
};

describe('the token endpoint', () => {
  it('is asked with the channel, once for all its kinds', async () => {
    const { server, open } = await openPage();
    give(server);
    const echo = open();
    echo.join('chat:1');
    echo.channel('chat:1');
    expect((await server.tokenRequests.next()).body).toEqual({
      channel: 'chat:1',
      channel_name: 'private-chat:1',
    });
    expect((await server.next('subscribe', 'presence-chat:1')).token).toBe('good');
    expect((await server.next('subscribe', 'chat:1')).token).toBe('good');
    expect(server.tokenRequests.all).toHaveLength(1);
  });

  it('gets what Laravel needs to know its user: cookie, CSRF and XSRF token, bearer, own headers', async () => {
    const { server, open } = await openPage({
      bearerToken: 'sanctum',
      auth: { headers: { 'X-Tenant': '7' } },
    });
    page.document.cookie = 'XSRF-TOKEN=eyJ%3D; path=/';
    page.document.cookie = 'laravel_session=abc; path=/';
    page.document.head.innerHTML = '<meta name="csrf-token" content="from the page">';
    open().channel('a');
    const { headers } = await server.tokenRequests.next();
    expect(headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/json',
      'x-requested-with': 'XMLHttpRequest',
      'x-csrf-token': 'from the page',
      'x-xsrf-token': 'eyJ=',
      authorization: 'Bearer sanctum',
      'x-tenant': '7',
    });
    expect(headers.cookie).toContain('laravel_session=abc');
  });

  it('gets the CSRF token of window.Laravel before that of the options', async () => {
    const { server, open } = await openPage({ csrfToken: 'of the options' });
    open().channel('a');
    expect((await server.tokenRequests.next()).headers['x-csrf-token']).toBe('of the options');
    page.Laravel = { csrfToken: 'of window.Laravel' };
    open().channel('a');
    expect((await server.tokenRequests.next()).headers['x-csrf-token']).toBe('of window.Laravel');
  });

  it.each([
    [false, undefined],
    [true, 'eyJ='],
  ])('on another origin gets the XSRF token only with credentials (%s)', async (withCredentials, xsrf) => {
    const { server } = await openPage();
    page.happyDOM.setURL('http://app.localhost/');
    page.document.cookie = 'XSRF-TOKEN=eyJ%3D; path=/';
    openEcho({ host: server.url, withCredentials, tokenEndpoint: `${server.url}/yamabiko/token` }).channel(
      'a',
    );
    expect((await server.tokenRequests.next()).headers['x-xsrf-token']).toBe(xsrf);
  });

  it('that answers null makes the channel a public one', async () => {
    const { server, open } = await openPage();
    give(server, [200, { token: null }]);
    open().channel('news');
    expect((await server.next('subscribe')).body).toEqual({ channel: 'news', auth: {} });
  });

  it.each([
    [401, 'token_missing'],
    [403, 'forbidden'],
  ])('that answers %d is final for the channel', async (status, code) => {
    const { server, open } = await openPage();
    give(server, [status, { message: '' }]);
    const refused = recorder<unknown>();
    const channel = open().channel('a').error(refused.call);
    expect(await refused.inbox.next()).toMatchObject({ code, status });
    await expect(channel.send({})).rejects.toMatchObject({ code, status });
    expect(server.tokenRequests.all).toHaveLength(1);
    expect(server.count('subscribe')).toBe(0);
  });

  it.each([
    ['a missing route', 404, {}, 404],
    ['an expired page', 419, {}, 419],
    ['too many requests', 429, {}, 429],
    ['a fault', 500, 'a stack trace', 500],
    ['a login page', 200, '<html>', 502],
    ['no token at all', 200, {}, 502],
    ['a token that is none', 200, { token: 5 }, 502],
  ])('that answers with %s is told and asked again', async (_name, status, body, told) => {
    const { server, open } = await openPage();
    give(server, [status, body]);
    const refused = recorder<unknown>();
    const channel = open().channel('a').error(refused.call);
    expect(await refused.inbox.next()).toMatchObject({ code: 'auth_error', status: told });
    await channel.send({});
    expect(server.tokenRequests.all).toHaveLength(2);
  });

  it('that cannot be reached is told and asked again', async () => {
    const gone = await startServer();
    const endpoint = `${gone.url}/yamabiko/token`;
    await gone.stop();
    const { open } = await openPage({ tokenEndpoint: endpoint });
    const refused = recorder<unknown>();
    open().channel('a').error(refused.call);
    expect(await refused.inbox.next()).toMatchObject({ code: 'auth_error', status: 0 });
    expect(await refused.inbox.next()).toMatchObject({ code: 'auth_error', status: 0 });
  });
});
