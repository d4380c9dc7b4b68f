import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { ProtocolMount } from '../../../server/http/protocol-mount.ts';
import { listeningServer } from './listening-server.ts';
import { bodyOf, rawRequest, rawUpgrade } from './raw-request.ts';

const UPGRADE = 'GET /taken HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

function upgradeHandler(
  matches: (path: string) => boolean,
  handleUpgrade: ProtocolMount['handleUpgrade'],
): ProtocolMount {
  return { name: 'upgrading', matches, handleUpgrade };
}

/** A protocol that takes plain requests alone. */
function requestHandler(
  matches: (path: string) => boolean,
  handleRequest: NonNullable<ProtocolMount['handleRequest']>,
): ProtocolMount {
  return { name: 'polling', matches, handleRequest, handleUpgrade: (_req, socket) => void socket.destroy() };
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((r) => {
    resolve = r;
  });
  return { promise, resolve };
}

describe('upgrade routing', () => {
  const echo = () => {
    const wss = new WebSocketServer({ noServer: true });
    return upgradeHandler(
      (path) => path === '/ws',
      (req, socket, head) =>
        wss.handleUpgrade(req, socket, head, (ws) => ws.on('message', (data) => ws.send(`echo ${data}`))),
    );
  };

  it('hands an upgrade to the handler of its path', async () => {
    const { port } = await listeningServer({ protocols: [echo()] });
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws?token=t`);
    await once(ws, 'open');
    ws.send('hi');
    const [data] = (await once(ws, 'message')) as [Buffer];
    expect(data.toString()).toBe('echo hi');
    ws.close();
    await once(ws, 'close');
  });

  it('answers and closes an upgrade that nobody takes', async () => {
    const upgrades = [
      echo(),
      upgradeHandler(
        (path) => path.startsWith('/socket.io/'),
        () => undefined,
      ),
    ];
    const { port } = await listeningServer({ protocols: upgrades });
    for (const target of ['/socket.iox', '/socket.io', '/', '//', '/ws/', '/WS', '/%77s', '/wsx', '/?/ws']) {
      const answer = await rawUpgrade(port, target);
      expect([target, answer.split('\r\n')[0]]).toEqual([target, 'HTTP/1.1 404 Not Found']);
      expect(answer.toLowerCase()).toContain('connection: close');
      expect(bodyOf(answer)).toEqual({ error: 'no protocol takes an upgrade here', code: 'not_found' });
    }
  });

  it('lets a client that goes on writing read its answer', async () => {
    const { port } = await listeningServer();
    const answer = await rawRequest(port, UPGRADE + 'x'.repeat(5_000_000));
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
  });

  it('answers and closes an upgrade of a malformed target', async () => {
    const everything = upgradeHandler(
      () => true,
      () => undefined,
    );
    const { port, errors } = await listeningServer({ protocols: [everything] });
    for (const target of ['http://[', '*']) {
      const answer = await rawUpgrade(port, target);
      expect([target, answer.split('\r\n')[0]]).toEqual([target, 'HTTP/1.1 400 Bad Request']);
      expect(bodyOf(answer)).toEqual({ error: 'malformed request target', code: 'invalid_message' });
    }
    expect(errors()).toEqual([]);
  });

  it('gives a target in absolute form to the handler of its path, as a path', async () => {
    const seen: (string | undefined)[] = [];
    const upgrades = [
      upgradeHandler(
        (path) => path === '/ws',
        (req, socket) => {
          seen.push(req.url);
          socket.destroy();
        },
      ),
    ];
    const { port } = await listeningServer({ protocols: upgrades });
    await rawUpgrade(port, 'http://elsewhere.test/ws?token=t');
    expect(seen).toEqual(['/ws?token=t']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('handler');
      },
    ],
    ['rejects', () => Promise.reject(new Error('handler'))],
  ])('ends the socket of a handler that %s, logged once without the query', async (_how, handle) => {
    const { port, url, errors } = await listeningServer({ protocols: [upgradeHandler(() => true, handle)] });
    expect(await rawUpgrade(port, '/taken?token=secret')).toBe('');
    expect(errors()).toHaveLength(1);
    expect(errors()[0]?.fields).toMatchObject({ path: '/taken', stage: 'upgrade' });
    expect(JSON.stringify(errors())).not.toContain('secret');
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  it('survives the error of a socket that no handler listens to', async () => {
    const taken = deferred<Duplex>();
    const upgrades = [
      upgradeHandler(
        () => true,
        (_req, socket) => taken.resolve(socket),
      ),
    ];
    const { port, url, logged } = await listeningServer({ protocols: upgrades });
    const client = connect(port, '127.0.0.1', () => client.write(UPGRADE));
    const socket = await taken.promise;
    const closed = once(socket, 'close').catch((err) => err);
    client.resetAndDestroy();
    socket.resume();
    await closed;
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect(logged.map((line) => line.message)).toContain('upgrade socket failed');
  });
});

describe('request routing', () => {
  const polling = requestHandler(
    (path) => path.startsWith('/socket.io/'),
    (req, res) => void res.end(`polled ${req.url}`),
  );

  it('gives a protocol its requests before the app sees them', async () => {
    const { url } = await listeningServer({ protocols: [polling] });
    expect(await (await fetch(`${url}/socket.io/?EIO=4`)).text()).toBe('polled /socket.io/?EIO=4');
    for (const path of ['/socket.io', '/socket.io?EIO=4', '/socket.iox', '/a?/socket.io/'])
      expect([path, (await fetch(url + path)).status]).toEqual([path, 404]);
  });

  it('answers a handler that fails with 500, logged once', async () => {
    const requests = [
      requestHandler(
        () => true,
        () => Promise.reject(new Error('handler')),
      ),
    ];
    const { url, errors } = await listeningServer({ protocols: requests });
    const res = await fetch(`${url}/x?token=secret`);
    expect([res.status, await res.json()]).toEqual([
      500,
      { error: 'internal error', code: 'internal_error' },
    ]);
    expect(errors()).toHaveLength(1);
    expect(JSON.stringify(errors())).not.toContain('secret');
  });
});

describe('the server', () => {
  it('refuses a second start on its port with the reason of the system', async () => {
    const { port } = await listeningServer();
    const settings = { port } as never;
    await expect(listeningServer({ settings })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('refuses headers beyond its size', async () => {
    const { port } = await listeningServer();
    const answer = await rawRequest(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 /);
  });

  it('stops by ending idle connections, and lets what runs end first', async () => {
    const asked = deferred<() => void>();
    const requests = [
      requestHandler(
        (path) => path === '/slow',
        (_req, res) => asked.resolve(() => res.end('done')),
      ),
    ];
    const { server, url } = await listeningServer({ protocols: requests });
    await (await fetch(`${url}/health/live`)).text();
    const slow = fetch(`${url}/slow`).then((res) => res.text());
    const finish = await asked.promise;
    const stopped = server.stop(60_000);
    expect(server.stop(60_000)).toBe(stopped);
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
    finish();
    expect(await slow).toBe('done');
    await stopped;
  });

  it('destroys what is left at its deadline, upgraded sockets too', async () => {
    const taken = deferred<void>();
    const { server, port } = await listeningServer({
      protocols: [
        upgradeHandler(
          () => true,
          () => taken.resolve(),
        ),
      ],
    });
    const client: Socket = connect(port, '127.0.0.1', () => client.write(UPGRADE));
    client.on('error', () => undefined);
    const closed = once(client, 'close');
    await taken.promise;
    await server.stop(0);
    await closed;
  });

  it('may be stopped again when it has stopped', async () => {
    const { server } = await listeningServer();
    await server.stop(0);
    await server.stop(0);
  });
});
