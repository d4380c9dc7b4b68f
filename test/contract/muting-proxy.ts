import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

interface Passage {
  readonly client: Socket;
  sent: string;
  muted: boolean;
  /** Answers pass, what was published does not. */
  deaf: boolean;
}

/** Stands between a node and Redis, and can leave single connections open without bringing any more answers. */
export class MutingProxy {
  readonly #server: Server;
  readonly #passages = new Set<Passage>();
  #muteNext: string | null = null;
  #mutedBy: string | null = null;

  private constructor(server: Server, redisPort: number) {
    this.#server = server;
    server.on('connection', (client) => this.#pass(client, createConnection(redisPort, '127.0.0.1')));
  }

  static async start(redisPort: number): Promise<MutingProxy> {
    const server = createServer();
    const proxy = new MutingProxy(server, redisPort);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `redis://127.0.0.1:${address.port}`;
  }

  /** Mutes the connections that live now and have sent this text. */
  mute(text: string): void {
    for (const passage of this.#passages) if (passage.sent.includes(text)) passage.muted = true;
  }

  /** The connections that live now and have sent this text bring answers, but no more messages. */
  deafen(text: string): void {
    for (const passage of this.#passages) if (passage.sent.includes(text)) passage.deaf = true;
  }

  /** Mutes the next connection that sends this text, from then on. */
  muteNext(text: string): void {
    this.#muteNext = text;
  }

  mutedBy(text: string): boolean {
    return this.#mutedBy === text;
  }

  async stop(): Promise<void> {
    for (const { client } of this.#passages) client.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(client: Socket, redis: Socket): void {
    const passage: Passage = { client, sent: '', muted: false, deaf: false };
    this.#passages.add(passage);
    client.on('data', (bytes: Buffer) => {
      passage.sent += bytes.toString('latin1');
      if (this.#muteNext !== null && bytes.includes(`${this.#muteNext}\r\n`)) {
        passage.muted = true;
        this.#mutedBy = this.#muteNext;
        this.#muteNext = null;
      }
      redis.write(bytes);
    });
    redis.on('data', (bytes: Buffer) => {
      if (passage.muted || (passage.deaf && bytes.includes('message\r\n'))) return;
      client.write(bytes);
    });
    for (const socket of [client, redis])
      socket
        .on('error', () => {
          // "close" follows.
        })
        .on('close', () => {
          this.#passages.delete(passage);
          client.destroy();
          redis.destroy();
        });
  }
}
