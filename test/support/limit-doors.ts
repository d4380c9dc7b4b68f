import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { mintToken } from './jwt.ts';
import { RawClient } from './raw-client.ts';

/** What somebody was told who was not let in. */
export interface Refused {
  readonly code: string;
  /** Seconds, as they were told; null where they were not. */
  readonly retryAfter: number | null;
  /** The HTTP status, or the WebSocket's close code. */
  readonly by: number;
}

export interface Guest {
  leave(): Promise<void>;
}

type Headers = Readonly<Record<string, string>>;

/** A way in, on its lowest level: what a refused client can see is seen there. */
export interface LimitDoor {
  readonly name: string;
  knock(url: string, headers?: Headers): Promise<Guest | Refused>;
}

export function isRefused(answer: Guest | Refused): answer is Refused {
  return 'code' in answer;
}

/** Who came in, or the test ends. */
export async function comeIn(door: LimitDoor, url: string, headers?: Headers): Promise<Guest> {
  const answer = await door.knock(url, headers);
  if (isRefused(answer)) throw new Error(`refused at ${door.name}: ${JSON.stringify(answer)}`);
  return answer;
}

const raw: LimitDoor = {
  name: 'raw WebSocket',
  async knock(url, headers = {}) {
    const client = await RawClient.open({ url, token: mintToken(), headers });
    const first = await client.next();
    if (first.type === 'connected') return { leave: () => client.close() };
    const { code: by } = await client.closed();
    return { code: first.code, retryAfter: first.retry_after ?? null, by };
  },
};

const webSocket = (EIO: 3 | 4): LimitDoor => ({
  name: `Socket.IO, WebSocket, Engine.IO ${EIO}`,
  async knock(url, headers = {}) {
    const address = `${url.replace('http', 'ws')}/socket.io/?EIO=${EIO}&transport=websocket`;
    const socket = new WebSocket(address, { headers: { ...headers } });
    const refusal = new Promise<Refused>((resolve, reject) => {
      socket.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
        response.setEncoding('utf8').once('data', (body: string) => resolve(refusedBy(response, body)));
      });
      socket.on('error', reject);
    });
    const texts: string[] = [];
    const entered = new Promise<Guest>((resolve) => {
      socket.on('message', (bytes) => {
        texts.push(String(bytes));
        if (EIO === 4 && texts.length === 1) socket.send('40');
        if (!String(bytes).startsWith('40')) return;
        resolve({
          async leave() {
            socket.close();
            await once(socket, 'close');
          },
        });
      });
    });
    return Promise.race([refusal, entered]);
  },
});

function refusedBy(response: IncomingMessage, body: string): Refused {
  const { code, retry_after: told = null } = JSON.parse(body) as { code: string; retry_after?: number };
  const header = response.headers['retry-after'];
  if (String(told ?? undefined) !== String(header)) throw new Error(`told ${told}, in the header ${header}`);
  return { code, retryAfter: told, by: response.statusCode ?? 0 };
}

const polling = (EIO: 3 | 4): LimitDoor => ({
  name: `Socket.IO, polling, Engine.IO ${EIO}`,
  async knock(url, headers = {}) {
    const session = await PollingSession.open(url, EIO, headers);
    return session instanceof PollingSession ? { leave: () => session.leave() } : session;
  },
});

/** A polling client by hand: it asks only when it is told to. */
export class PollingSession {
  readonly address: string;
  readonly #eio: 3 | 4;
  readonly #headers: Headers;

  private constructor(address: string, eio: 3 | 4, headers: Headers) {
    this.address = address;
    this.#eio = eio;
    this.#headers = headers;
  }

  /** Shakes hands alone. */
  static async shakeHands(url: string, eio: 3 | 4, headers: Headers = {}): Promise<PollingSession | Refused> {
    const address = `${url}/socket.io/?EIO=${eio}&transport=polling`;
    const response = await fetch(address, { headers });
    const body = await response.text();
    if (response.status !== 200) {
      const { message, retry_after: told = null } = JSON.parse(body) as {
        message: string;
        retry_after?: number;
      };
      if (String(told) !== String(response.headers.get('retry-after')))
        throw new Error('header and body differ');
      return { code: message, retryAfter: told, by: response.status };
    }
    const sid = /"sid":"([^"]+)"/.exec(body)?.[1];
    return new PollingSession(`${address}&sid=${sid}`, eio, headers);
  }

  /** Shakes hands and enters the namespace. */
  static async open(url: string, eio: 3 | 4, headers: Headers = {}): Promise<PollingSession | Refused> {
    const session = await PollingSession.shakeHands(url, eio, headers);
    if (!(session instanceof PollingSession)) return session;
    if (eio === 4) await session.post('40');
    // Engine.IO 3 is in at once; its CONNECT may have come with the handshake's answer.
    if (eio === 4) await session.poll();
    return session;
  }

  /** @param packet one of Engine.IO's, as `42["subscribe",{}]` */
  post(...packets: string[]): Promise<Response> {
    const body =
      this.#eio === 4 ? packets.join('\x1e') : packets.map((packet) => `${packet.length}:${packet}`).join('');
    return fetch(this.address, { method: 'POST', body, headers: this.#headers });
  }

  async poll(): Promise<string> {
    return (await fetch(this.address, { headers: this.#headers })).text();
  }

  async leave(): Promise<void> {
    await this.post('1');
  }
}

/** Every way in on which the limits must hold alike. */
export const LIMIT_DOORS: readonly LimitDoor[] = [raw, webSocket(4), webSocket(3), polling(4), polling(3)];
