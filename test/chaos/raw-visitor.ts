import { WebSocket } from 'ws';
import { mintToken } from '../support/jwt.ts';
import type { Casting } from './scene.ts';
import { type Company, Visitor } from './visitor.ts';

interface Frame {
  readonly type: string;
  readonly ok?: boolean;
  readonly id?: number;
  readonly code?: string;
  readonly error?: { readonly code: string };
  readonly users?: readonly { readonly id: number }[];
  readonly socketId?: string;
  readonly data?: { readonly message?: string; readonly user?: { readonly id: number } };
}

/** 1001, 1005, 1006: the connection's own end. 1012 and 1013 say: come back. */
const EXPECTED_CLOSES = new Set([1000, 1001, 1005, 1006, 1012, 1013]);
const HANDSHAKE_MS = 4_000;

/** A client of the seed's protocol, as a page's own WebSocket with a loop around it. */
export class RawVisitor extends Visitor {
  readonly #room: string;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #open = false;
  readonly #awaited: number[] = [];

  constructor(casting: Casting, room: string, company: Company) {
    super(casting, company);
    this.#room = room;
  }

  enter(): void {
    this.wanted = true;
    this.#connect();
  }

  leave(): void {
    this.wanted = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const socket = this.#socket;
    this.#lost('leaves');
    socket?.close();
  }

  cut(): void {
    const socket = this.#socket;
    this.#lost('cut by the network');
    socket?.terminate();
    this.#later();
  }

  speak(): void {
    const { journal, random } = this.company;
    // No definition lets clients send in the lobby.
    if (!this.#open || !journal.live || this.#room === 'lobby') return;
    const key = this.nextKey();
    const target = random.chance(0.1) ? { target_user_id: this.userId } : {};
    const id = this.asked('send', key);
    this.#awaited.push(id);
    this.#socket?.send(JSON.stringify({ data: { message: key, name: 'n', ...target }, id }));
  }

  flicker(): void {
    this.cut();
  }

  online(): boolean {
    return this.#open;
  }

  #connect(): void {
    this.#timer = null;
    this.node = this.company.pickNode();
    this.tell(`connects to ${this.node.name}`);
    const url = new URL('/ws', this.node.url.replace(/^http/, 'ws'));
    url.searchParams.set('token', mintToken({ ...this.user, channel: this.#room }));
    const socket = new WebSocket(url, { handshakeTimeout: HANDSHAKE_MS, perMessageDeflate: false });
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('message', (bytes) => {
      if (this.#socket === socket) this.#hear(JSON.parse(String(bytes)) as Frame);
    });
    socket.on('close', (code) => {
      if (this.#socket !== socket) return;
      this.company.recorder.count(`raw closed with ${code}`);
      if (!EXPECTED_CLOSES.has(code)) this.accuse('unexpected close', String(code));
      this.#lost(`closed with ${code}`);
      this.#later();
    });
  }

  #later(): void {
    if (!this.wanted || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#connect(), this.company.random.between(50, 500));
  }

  #lost(why: string): void {
    this.#socket = null;
    this.#open = false;
    this.#awaited.length = 0;
    this.disconnected(why);
  }

  #hear(frame: Frame): void {
    const user = String(frame.data?.user?.id);
    switch (frame.type) {
      case 'connected': {
        this.#open = true;
        const list = (frame.users ?? []).map(({ id }) => String(id));
        const { socketId = '' } = frame;
        return this.opened({ wire: this.#room, kind: 'token', raw: true, named: true, socketId, list });
      }
      case 'message':
        return this.heard(this.#room, frame.data?.message ?? '');
      case 'connectOther':
        return this.announced(this.#room, 'joined', user);
      case 'disconnectOther':
        return this.announced(this.#room, 'left', user);
      case 'sended':
        return this.#sended(frame);
      case 'error':
        return this.refused('raw connect', frame.code ?? '');
      default:
        return this.accuse('unexpected refusal', `a frame of type ${frame.type}`);
    }
  }

  #sended(frame: Frame): void {
    const awaited = this.#awaited.shift();
    if (awaited !== frame.id) this.accuse('answer out of turn', `answer ${frame.id} instead of ${awaited}`);
    this.answered(frame.id ?? 0, frame.ok === true ? null : (frame.error?.code ?? ''));
  }
}
