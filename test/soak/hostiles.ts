import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RawData, WebSocket } from 'ws';
import { mintToken } from '../support/jwt.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

export interface Scene {
  readonly url: string;
  readonly random: SeededRandom;
  readonly signal: AbortSignal;
}

/** One turn of an attack; it MUST leave no client open behind it. */
type Attack = (scene: Scene) => Promise<void>;

const ECHO = '/socket.io/?EIO=4&transport=websocket';
const EVENT = '42["send",{"channel":"chat:1","data":{"message":"flood","name":"x"}}]';

/** By name: each goes on by itself, again and again, as long as the soak does. */
const ATTACKS: Readonly<Record<string, Attack>> = {
  'floods of commands': withSocket(ECHO, async (socket) => {
    socket.send('40');
    for (let i = 0; i < 1_500 && socket.readyState === WebSocket.OPEN; i++) socket.send(EVENT);
    await sleep(200);
  }),
  'floods of raw frames': withRaw(async (socket) => {
    for (let i = 0; i < 1_500 && socket.readyState === WebSocket.OPEN; i++)
      socket.send('{"data":{"message":"flood","name":"x"}}');
    await sleep(200);
  }),
  'floods of pings that are never read': withRaw(async (socket) => {
    pause(socket);
    for (let i = 0; i < 3_000 && socket.readyState === WebSocket.OPEN; i++) socket.ping('x'.repeat(120));
    await sleep(1_000);
  }),
  'joins and leaves': withSocket(ECHO, async (socket, { random }) => {
    socket.send('40');
    for (let i = 0; i < 200; i++)
      socket.send(`42["${random.pick(['subscribe', 'unsubscribe'])}",{"channel":"x${random.below(50)}"}]`);
    await sleep(300);
  }),
  'questions to Laravel, hung up on': withSocket(ECHO, async (socket, { random }) => {
    socket.send('40');
    for (let i = 0; i < 100; i++)
      socket.send(`42["subscribe",{"channel":"private-q${random.below(10_000)}"}]`);
    await sleep(random.between(10, 200));
  }),
  'garbage over TCP': withTcp(async (socket, { random }) => {
    for (let i = 0; i < 20; i++) socket.write(noise(random, random.below(3_000)));
  }),
  'garbage behind an upgrade': withTcp(async (socket, { random }) => {
    const path = random.pick(['/ws', ECHO, '/nowhere']);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    socket.write(noise(random, 5_000));
    await sleep(50);
  }),
  'garbage as packets': withSocket(ECHO, async (socket, { random }) => {
    socket.send('40');
    for (let i = 0; i < 50 && socket.readyState === WebSocket.OPEN; i++)
      socket.send(random.chance(0.5) ? noise(random, 200) : `4${noise(random, 100).toString('latin1')}`);
    await sleep(50);
  }),
  'garbage as raw frames': withRaw(async (socket, { random }) => {
    for (let i = 0; i < 60 && socket.readyState === WebSocket.OPEN; i++)
      socket.send(noise(random, 100).toString('latin1'));
    await sleep(50);
  }),
  'slow readers': withRaw(async (socket, { random }) => {
    pause(socket);
    await sleep(random.between(500, 3_000));
  }, 'calmroom'),
  'slow pages': withSocket(ECHO, async (socket, { random }) => {
    socket.send('40');
    socket.send('42["subscribe",{"channel":"calm"}]');
    pause(socket);
    await sleep(random.between(500, 3_000));
  }),
  'half-open requests': withTcp(async (socket, { random }) => {
    socket.write(`POST ${random.pick(['/', '/apps/app/events', ECHO])} HTTP/1.1\r\nHost: x\r\nContent-Len`);
    await sleep(random.between(500, 4_000));
  }),
  'half-open sessions': async ({ url }) => {
    // Shakes hands by polling and never comes again: the session must end by itself.
    await (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text();
  },
  'half-open upgrades': withSocket(ECHO, ({ readyState }) =>
    sleep(readyState === WebSocket.OPEN ? 1_000 : 0),
  ),
  'token guessing': async ({ url, random, signal }) => {
    const secret = `guess-${random.below(1_000_000)}-guess-guess-guess-guess`;
    await withSocket(`/ws?token=${mintToken({ channel: 'calmroom' }, { secret })}`, () => sleep(20))({
      url,
      random,
      signal,
    });
  },
  'key guessing': async ({ url, random }) => {
    await (await fetch(`${url}/apps/app/channels?auth_key=guess${random.below(1_000_000)}`)).text();
  },
  'huge frames': withRaw(async (socket) => {
    socket.send(Buffer.alloc(3_000_000, 'x'));
    await sleep(100);
  }),
  'huge packets': withSocket(ECHO, async (socket) => {
    socket.send(`42["send",${'['.repeat(500_000)}${']'.repeat(500_000)}]`);
    socket.send('x'.repeat(3_000_000));
    await sleep(100);
  }),
  'huge bodies': async ({ url }) => {
    const answer = await fetch(`${url}/apps/app/events`, {
      method: 'POST',
      headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
      body: `{"channel":"x","name":"x","data":"${'x'.repeat(2_000_000)}"}`,
    });
    await answer.text();
  },
  'oversized headers': withTcp(async (socket, { random }) => {
    const long = 'x'.repeat(random.pick([10_000, 40_000, 200_000]));
    socket.write(`GET /${random.chance(0.5) ? long : ''} HTTP/1.1\r\nHost: x\r\nX-Long: ${long}\r\n\r\n`);
    await sleep(50);
  }),
  'CONNECT after CONNECT': withSocket(ECHO, async (socket) => {
    for (let i = 0; i < 200 && socket.readyState === WebSocket.OPEN; i++) socket.send('40');
    await sleep(50);
  }),
};

/** Runs every attack side by side, each turn after turn, until the signal. @returns how many turns each had */
export async function attack(scene: Scene): Promise<Record<string, number>> {
  const turns: Record<string, number> = {};
  const one = async (name: string, run: Attack) => {
    const own = { ...scene, random: scene.random.fork() };
    turns[name] = 0;
    while (!scene.signal.aborted) {
      // Whatever the server does to an attacker is right, but for what is measured elsewhere.
      await run(own).catch(() => {});
      turns[name]++;
      await sleep(own.random.between(20, 120));
    }
  };
  await Promise.all(Object.entries(ATTACKS).map(([name, run]) => one(name, run)));
  return turns;
}

function withSocket(path: string, act: (socket: WebSocket, scene: Scene) => Promise<unknown>): Attack {
  return async (scene) => {
    const socket = new WebSocket(scene.url.replace('http', 'ws') + path, { handshakeTimeout: 5_000 });
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const opened = new Promise<void>((resolve) => socket.once('open', () => resolve()));
    socket.on('error', () => {});
    socket.on('message', (_data: RawData) => {});
    await Promise.race([opened, ended]);
    if (socket.readyState === WebSocket.OPEN) await Promise.race([act(socket, scene), ended]);
    socket.terminate();
    await ended;
  };
}

function withRaw(
  act: (socket: WebSocket, scene: Scene) => Promise<unknown>,
  channel = 'chat:hostile',
): Attack {
  return (scene) => {
    const id = 100 + scene.random.below(1_000);
    return withSocket(`/ws?token=${mintToken({ id, name: 'mallory', channel })}`, act)(scene);
  };
}

function withTcp(act: (socket: Socket, scene: Scene) => Promise<unknown>): Attack {
  return async (scene) => {
    const socket = connect(Number(new URL(scene.url).port), '127.0.0.1');
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {}).resume();
    await Promise.race([act(socket, scene), ended]);
    socket.destroy();
    await ended;
  };
}

/** From now on this client reads nothing, so that all that it is sent stays with the server. */
function pause(socket: WebSocket): void {
  (socket as unknown as { _socket?: Socket })._socket?.pause();
}

function noise(random: SeededRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}
