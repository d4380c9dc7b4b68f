import { WebSocket } from 'ws';
import { mintToken } from '../support/jwt.ts';
import { Page } from './page.ts';

interface Frame {
  readonly type: string;
  readonly position?: string | null;
  readonly recovered?: boolean;
  readonly replayed?: number;
  readonly reason?: string;
  readonly socketId?: string;
  readonly data?: { readonly message?: string };
}

const HANDSHAKE_MS = 4_000;

/** A page's own WebSocket, with a loop around it that keeps the last position (protocol.md section 12). */
export class RawPage extends Page {
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #since = '';
  #socketId: string | null = null;
  #left = false;

  enter(): void {
    this.#connect();
  }

  leave(): void {
    this.#left = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.disconnected('leaves');
    socket?.close();
  }

  rejoin(): void {}

  protected swallow(): void {
    this.#socket?.removeAllListeners('message');
  }

  protected breakTransport(): void {
    this.#socket?.terminate();
  }

  protected whisper(): void {}

  protected send(_wire: string, data: object): void {
    this.#socket?.send(JSON.stringify({ data }));
  }

  get #room(): string {
    return this.plans[0]?.wire ?? '';
  }

  #connect(): void {
    this.#timer = null;
    const node = this.company.pickNode();
    const url = new URL('/ws', node.url.replace(/^http/, 'ws'));
    url.searchParams.set('token', mintToken({ ...this.user, channel: this.#room }));
    url.searchParams.set('since', this.#since);
    if (this.#socketId !== null) url.searchParams.set('socket', this.#socketId);
    const socket = new WebSocket(url, { handshakeTimeout: HANDSHAKE_MS, perMessageDeflate: false });
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('message', (bytes) => {
      const frame = JSON.parse(String(bytes)) as Frame;
      if (frame.type === 'connected') {
        this.connected(node, frame.socketId ?? '', 1);
        this.#socketId = frame.socketId ?? null;
      }
      this.#hear(frame);
    });
    socket.on('close', (code) => {
      if (this.#socket !== socket) return;
      this.disconnected(`closed with ${code}`);
      if (!this.#left) this.#timer = setTimeout(() => this.#connect(), this.company.random.between(50, 300));
    });
  }

  #hear(frame: Frame): void {
    if (typeof frame.position === 'string') this.#since = frame.position;
    switch (frame.type) {
      case 'connected':
        return this.opened(this.#room, { recovered: frame.recovered, replayed: frame.replayed });
      case 'message':
        return this.heard(this.#room, frame.data?.message ?? '', frame.position ?? null);
      case 'gap':
        return this.toldOfGap(this.#room, frame.reason ?? '');
    }
  }
}
