import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { encodeCommand } from '../../../../server/broker/replication/reply.ts';

export const REPLID = 'a'.repeat(40);
export const OTHER_REPLID = 'b'.repeat(40);

/** What it answers to the commands of the beginning; another text in place of each can be given. */
const ANSWERS: Readonly<Record<string, string>> = {
  HELLO: '*4\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n',
  INFO: infoOf({ replid: REPLID, offset: 100 }),
  REPLCONF: '+OK\r\n',
  PSYNC: '+CONTINUE\r\n',
};

/** A server that speaks as a master does, or as no master ever would, each byte in a packet of its own (of what is short). */
export class FakeMaster {
  /** Each command that came, but acknowledgements, as one text. `answer` takes the whole or the first word. */
  readonly commands: string[] = [];
  acks = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #answers = ANSWERS;
  #writing: Promise<void> = Promise.resolve();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket
        .setNoDelay(true)
        .on('data', (bytes) => this.#answer(socket, bytes.toString()))
        .on('close', () => this.#sockets.delete(socket))
        .on('error', () => {
          // "close" follows.
        });
    });
  }

  static async start(): Promise<FakeMaster> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeMaster(server);
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen');
    return `redis://127.0.0.1:${address.port}`;
  }

  answer(command: string, text: string): void {
    this.#answers = { ...this.#answers, [command]: text };
  }

  defaultAnswer(command: string): string {
    return ANSWERS[command] ?? '';
  }

  /** The commands PSYNC that came, what follows the name. */
  get syncs(): string[] {
    return this.commands.filter((text) => text.startsWith('PSYNC ')).map((text) => text.slice(6));
  }

  /** To all that are connected. */
  async send(...commands: readonly string[][]): Promise<void> {
    await this.sendBytes(commands.map((command) => encodeCommand(command)).join(''));
  }

  async sendBytes(text: string): Promise<void> {
    for (const socket of this.#sockets) this.#write(socket, text);
    await this.#writing;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(socket: Socket, bytes: string): void {
    // The reader waits for each answer, and the commands have no line breaks within.
    for (const command of bytes.split(/(?=\*\d+\r\n)/)) {
      const text = command
        .split('\r\n')
        .filter((_, i) => i > 0 && i % 2 === 0)
        .join(' ');
      if (text === 'REPLCONF ACK 0') {
        this.acks++;
        continue;
      }
      this.commands.push(text);
      const answer = this.#answers[text] ?? this.#answers[text.split(' ')[0] ?? ''];
      if (answer !== undefined) this.#write(socket, answer);
    }
  }

  #write(socket: Socket, text: string): void {
    this.#writing = this.#writing.then(async () => {
      const bytes = Buffer.from(text);
      const size = bytes.length < 2000 ? 1 : bytes.length;
      for (let at = 0; at < bytes.length; at += size) {
        socket.write(bytes.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  }
}

export interface FakeInfo {
  readonly replid: string;
  readonly offset: number;
  /** `<replid> <second offset>` */
  readonly earlier?: string;
  readonly kept?: boolean;
  readonly role?: string;
}

/** A reply of INFO replication, whose backlog begins with the history. */
export function infoOf({ replid, offset, earlier = '0 -1', kept = true, role = 'master' }: FakeInfo): string {
  const [replid2, secondOffset] = earlier.split(' ');
  const lines = [
    `role:${role}`,
    `master_replid:${replid}`,
    `master_replid2:${replid2}`,
    `master_repl_offset:${offset}`,
    `second_repl_offset:${secondOffset}`,
    `repl_backlog_active:${kept ? 1 : 0}`,
    'repl_backlog_first_byte_offset:1',
    `repl_backlog_histlen:${offset}`,
    '',
  ].join('\r\n');
  return `$${lines.length}\r\n${lines}\r\n`;
}
