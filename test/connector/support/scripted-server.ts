import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { Inbox } from './inbox.ts';

/** One command of a client: `subscribe`, `unsubscribe`, `send` or `client event`. */
export interface Command {
  readonly event: string;
  readonly channel: string;
  readonly body: Record<string, unknown>;
  readonly token: unknown;
  readonly socket: Socket;
  readonly acknowledge: ((answer: unknown) => void) | undefined;
}

export interface TokenRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** A real socket.io server that answers by script, with Laravel's token route on the same port. */
export class ScriptedServer {
  readonly commands = new Inbox<Command>();
  readonly tokenRequests = new Inbox<TokenRequest>();
  /** Answers a command; undefined leaves it unanswered. */
  answer: (command: Command) => unknown = (command) => yes(command);
  /** Answers the token route: status and body. */
  tokenAnswer: (request: TokenRequest) => [status: number, body: unknown] = () => [200, { token: null }];
  /** Whether a middleware turns every client away. */
  isClosed = false;
  readonly #http: HttpServer;
  readonly #io: Server;

  private constructor() {
    this.#http = createServer((request, response) => void this.#serveToken(request, response));
    this.#io = new Server(this.#http, { cors: { origin: '*' } });
    this.#io.use((_socket, next) => next(this.isClosed ? new Error('closed') : undefined));
    this.#io.on('connection', (socket) => {
      socket.onAny(
        (event: string, body: Record<string, unknown>, acknowledge?: (answer: unknown) => void) => {
          const auth = body.auth as { token?: unknown } | undefined;
          const channel = String(body.channel);
          const command = { event, channel, body, token: auth?.token, socket, acknowledge };
          const answer = this.answer(command);
          if (answer !== undefined) acknowledge?.(answer);
          this.commands.put(command);
        },
      );
    });
  }

  static async start(port = 0): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await new Promise<void>((resolve) => server.#http.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** The next command of this name for this channel. */
  next(event: string, channel?: string): Promise<Command> {
    return this.commands.next(
      (one) => one.event === event && (channel === undefined || one.channel === channel),
    );
  }

  count(event: string, channel?: string): number {
    return this.commands.all.filter((one) => one.event === event && (channel ?? one.channel) === one.channel)
      .length;
  }

  /** Says something to every client, in the order of the calls. */
  say(event: string, ...args: unknown[]): void {
    this.#io.emit(event, ...args);
  }

  /** Cuts every transport: the clients come back by themselves. */
  cut(): void {
    for (const socket of this.#io.sockets.sockets.values()) socket.conn.close();
  }

  /** Ends every client as an application does: they stay away. */
  kick(): void {
    this.#io.disconnectSockets(true);
  }

  async stop(): Promise<void> {
    await this.#io.close();
  }

  async #serveToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url !== '/yamabiko/token') return;
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
    response.setHeader('Access-Control-Allow-Credentials', 'true');
    response.setHeader(
      'Access-Control-Allow-Headers',
      request.headers['access-control-request-headers'] ?? '*',
    );
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = { headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown };
    const [status, body] = this.tokenAnswer(asked);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
    this.tokenRequests.put(asked);
  }
}

/** The plain yes to each command, with the lifetime of the token where there is one. */
export function yes(command: Command, expiresIn?: number): object {
  if (command.event === 'send') return { type: 'sended', ok: true };
  if (command.event !== 'subscribe') return { ok: true };
  return {
    ok: true,
    channel: command.channel,
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
  };
}

/** A refused subscribe, as the server does it: an event beside the answer. */
export function no(command: Command, code: string, status: number, message = 'no'): object {
  command.socket.emit('subscription_error', command.channel, status);
  return { ok: false, code, status, message };
}
