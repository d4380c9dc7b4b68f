import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { WireClient } from '../support/wire-client.ts';

const SECRETS = {
  jwtSecret: 'marker-jwt-secret-of-thirty-two-bytes-or-more',
  redisPassword: 'marker-redis-password',
  appKey: 'marker-app-key',
  wrongAppKey: 'marker-wrong-app-key',
  metricsKey: 'marker-metrics-key',
  authUrlKey: 'marker-auth-url-key',
  cookie: 'marker-cookie',
  sanctum: 'marker-sanctum',
  csrf: 'marker-csrf-token',
  handshakeAuth: 'marker-handshake-auth',
};
const PREFIX = 'laravel_database_';

/** What came out, by where. */
class Output {
  readonly #texts: [where: string, text: string][] = [];

  add(where: string, text: unknown): void {
    this.#texts.push([where, typeof text === 'string' ? text : (JSON.stringify(text) ?? '')]);
  }

  placesOf(secret: string): string[] {
    return this.#texts
      .filter(([, text]) => text.includes(secret) || text.includes(encodeURIComponent(secret)))
      .map(([where, text]) => {
        const at = text.indexOf(secret);
        return `${where}: ...${text.slice(Math.max(0, at - 80), at + 60)}...`;
      });
  }
}

test('no secret comes out anywhere, at the most talkative level, by whatever door it came in', {
  timeout: 120_000,
}, async () => {
  const output = new Output();
  const secrets: [kind: string, secret: string][] = Object.entries(SECRETS);
  const redis = await RedisServer.start(['--requirepass', SECRETS.redisPassword]);
  let mood: 'usual' | 'broken' = 'usual';
  const laravel = await startAuthEndpoint(async ({ channel }) => {
    if (mood === 'broken') return { status: 500, body: `${SECRETS.cookie} ${SECRETS.sanctum}` };
    if (channel.includes('garbage')) return { status: 200, body: `<html>${SECRETS.cookie}</html>` };
    return channel.includes('forbidden')
      ? { status: 403, body: `{"message":"${SECRETS.sanctum}"}` }
      : { status: 200, body: presence(channel) };
  });
  onTestFinished(async () => {
    await laravel.stop();
    await redis.stop();
  });
  const server = await ServerProcess.ready({
    YAMABIKO_LOG_LEVEL: 'trace',
    YAMABIKO_JWT_SECRET: SECRETS.jwtSecret,
    YAMABIKO_REDIS_URL: redis.adminUrl,
    YAMABIKO_APPS: `app:${SECRETS.appKey}`,
    YAMABIKO_METRICS_KEY: SECRETS.metricsKey,
    YAMABIKO_AUTH_URL: `${laravel.url}?key=${SECRETS.authUrlKey}`,
    YAMABIKO_MAX_FRAME_BYTES: '4096',
    YAMABIKO_DRAIN_MS: '1000',
  });
  const { url } = server;
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init);
    output.add(
      `answer of ${path.split('?')[0]}`,
      `${[...response.headers].join('\n')}\n${await response.text()}`,
    );
    return response.status;
  };

  // Others, whose frames are searched.
  const onlooker = await WireClient.open({ url, name: 'the onlooker' });
  const onlookerRaw = await RawClient.join({ url, token: mint({ id: 9, name: 'raw onlooker' }) });
  for (const wire of ['news', 'private-den', 'presence-chat:1'])
    await onlooker.subscribe(wire, bearer('9:onlooker'));

  // Raw doors: good, bad and expired tokens, in the query and as a bearer, and where nobody takes them.
  const tokens = {
    good: mint({ id: 1, name: 'ada' }),
    bearer: mint({ id: 2, name: 'bob' }),
    wrong: mintToken({ channel: 'chat:1' }, { secret: 'another-secret-another-secret-12345' }),
    expired: mint({ iat: 1, exp: 2 }),
    elsewhere: mint({ channel: 'private-x' }),
    nowhere: mint({ id: 3 }),
    broken: mint({ id: 4 }),
  };
  for (const [kind, token] of Object.entries(tokens)) {
    secrets.push([`token: ${kind}`, token], [`signature: ${kind}`, token.split('.')[2] ?? '']);
    secrets.push([`claims: ${kind}`, token.split('.')[1] ?? '']);
  }
  const raws = [
    await RawClient.open({ url, token: tokens.good }),
    await RawClient.open({ url, headers: { Authorization: `Bearer ${tokens.bearer}` } }),
  ];
  await Promise.all(raws.map((raw) => raw.next('connected')));
  for (const token of [tokens.wrong, tokens.expired, tokens.elsewhere]) {
    const refused = await RawClient.open({ url, token });
    await refused.closed();
    output.add('frames of a refused raw client', refused.texts().join('\n'));
  }
  await new RawClient({ url, token: tokens.nowhere, path: '/nowhere' }).closed();
  await ask(`/ws?token=${tokens.nowhere}`);
  await rubbish(
    url,
    `GET /ws?token=${tokens.broken} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokens.broken}\r\nBad Header\r\n\r\n`,
  );
  await rubbish(url, `${upgradeTo(`/ws?token=${tokens.broken}`)}\xff\xff\xff\xff${tokens.broken}`);
  raws[0]?.sendText(`{"data":{"message":5,"token":"${tokens.good}"}}`);
  raws[0]?.sendText(`not json ${tokens.good}`);
  await raws[0]?.next('sended');
  raws[1]?.sendText(tokens.good.repeat(100));
  await raws[1]?.closed();

  // Socket.IO doors: every way to authorise, granted, refused, broken.
  const headers = { Cookie: `laravel_session=${SECRETS.cookie}` };
  const pages = [
    await WireClient.open({ url, version: 2, transports: ['polling'], headers }),
    await WireClient.open({ url, version: 2, headers, query: { token: tokens.good } }),
    await WireClient.open({ url, transports: ['polling'], headers, auth: { token: SECRETS.handshakeAuth } }),
    await WireClient.open({
      url,
      headers,
      auth: { offset: SECRETS.handshakeAuth, pid: SECRETS.handshakeAuth },
    }),
  ];
  for (const [nth, page] of pages.entries()) {
    const { engine } = page.socket.io as unknown as { engine: { id: string } };
    secrets.push([`Engine.IO session of client ${nth}`, engine.id]);
    const auth = { headers: { Authorization: `Bearer ${SECRETS.sanctum}`, 'X-CSRF-TOKEN': SECRETS.csrf } };
    for (const wire of ['presence-chat:1', 'private-den', 'private-forbidden', 'private-garbage'])
      output.add('ack of a subscribe', await page.subscribe(wire, auth));
    for (const token of [tokens.wrong, tokens.expired, tokens.elsewhere, { a: tokens.good }])
      output.add('ack of a subscribe by token', await page.subscribe('chat:1', { token }));
    output.add('ack', await page.request('send', { channel: tokens.good, data: { token: 1 } }));
    output.add('ack', await page.request(`unknown ${tokens.good}`, { token: tokens.good }));
    output.add('ack', await page.whisper('private-den', 'client-x', { from: nth }));
    // As Laravel sends it toOthers(): to all but this one, whose session it names.
    const toOthers = { event: 'Hi', data: { text: 'hi', socket: page.id }, socket: page.id };
    for (const wire of ['news', 'private-den', 'presence-chat:1'])
      await redis.client.publish(PREFIX + wire, JSON.stringify(toOthers));
  }
  mood = 'broken';
  output.add(
    'ack while Laravel is broken',
    await pages[0]?.subscribe('private-late', bearer(SECRETS.sanctum)),
  );

  // HTTP doors.
  const key = { authorization: `Bearer ${SECRETS.appKey}` };
  for (const path of [
    'status',
    'channels',
    'channels/presence-chat:1/users',
    'channels/private-den',
    'nodes',
  ])
    expect(await ask(`/apps/app/${path}`, { headers: key })).toBe(200);
  await ask(`/apps/app/status?auth_key=${SECRETS.appKey}`);
  await ask(`/apps/app/status?auth_key=${SECRETS.wrongAppKey}`);
  await ask('/apps/app/channels', { headers: { authorization: `Bearer ${SECRETS.wrongAppKey}` } });
  for (const body of ['{', `{"name":"${'x'.repeat(9)}"}`])
    await ask(`/apps/app/events?auth_key=${SECRETS.appKey}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
  await ask(`/%zz?token=${tokens.nowhere}`);
  await ask('/metrics', {
    headers: { authorization: `Bearer ${SECRETS.metricsKey}`, 'x-forwarded-for': '192.0.2.1' },
  });
  await ask('/health/ready');

  // A Redis that goes, and one that refuses: what its client throws bears the commands.
  await redis.kill();
  await server.answersReady(503);
  output.add('ack without Redis', await pages[3]?.subscribe('presence-chat:1'));
  await redis.restart();
  await server.answersReady(200);

  output.add('/metrics', await (await fetch(`${url}/metrics`)).text());
  for (const client of [...pages, onlooker]) client.close();
  for (const raw of raws) raw.socket.terminate();
  await onlookerRaw.close();
  server.kill('SIGTERM');
  await server.ended;
  // Of one's own frames only the handshake holds the session; what others hear must hold none.
  output.add('frames of another client', onlooker.drain());
  output.add('frames of another raw client', onlookerRaw.texts().join('\n'));
  output.add('standard output', server.stdout);
  output.add('standard error', server.stderr);

  // It was talkative, and everything has come in: else nothing would be proved.
  expect(server.lines().filter(({ msg }) => msg === 'request').length).toBeGreaterThan(20);
  expect(server.lines().filter(({ msg }) => msg === 'upgrade').length).toBeGreaterThan(5);
  expect(server.stdout).toContain('Laravel refused a subscription');
  expect(server.stdout).toContain('Laravel gave no answer that counts');
  const heard = JSON.stringify(laravel.questions);
  for (const sent of [SECRETS.cookie, SECRETS.sanctum, SECRETS.csrf]) expect(heard).toContain(sent);

  for (const [kind, secret] of secrets) expect.soft(output.placesOf(secret), kind).toEqual([]);
});

const mint = (claims: object) => mintToken({ channel: 'chat:1', ...claims }, { secret: SECRETS.jwtSecret });
const bearer = (value: string) => ({ headers: { Authorization: `Bearer ${value}` } });
let users = 0;
/** Another user each time, so that each is shown to the others. */
const presence = (channel: string) =>
  channel.startsWith('presence-')
    ? `{"channel_data":{"user_id":${100 + users++},"user_info":{"name":"eve"}}}`
    : 'true';

const upgradeTo = (target: string) =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

/** Writes bytes that make no sense, and goes. */
async function rubbish(url: string, text: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.resume();
  socket.end(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
}
