import { mintToken } from '../support/jwt.ts';
import { type ClientSocket, clientOptions, hearAll, socketIo, type WireEvent } from '../support/socket-io.ts';
import type { ClusterNode } from './cluster-node.ts';
import { eventId } from './journal.ts';
import { type Casting, isListed, type Kind, type Plan } from './scene.ts';
import { type Company, Visitor } from './visitor.ts';

type EchoPlan = Extract<Plan, { door: 'echo' }>;

/** What a manager has in all versions, as far as it is used here. */
interface Manager {
  uri: string;
  readonly engine?: { close(): void; readonly transport?: { readonly ws?: { terminate?(): void } } };
  on(event: 'reconnect_attempt', listener: () => void): void;
}

interface Answer {
  readonly ok: boolean;
  readonly code?: string;
  readonly error?: { readonly code: string };
}

type State = 'off' | 'asking' | 'on' | 'leaving';

const CONNECT_MS = 4_000;

/** Echo's protocol by hand, on any socket.io-client: comes back by the client's own reconnecting, to any node. */
export class EchoVisitor extends Visitor {
  readonly #plan: EchoPlan;
  readonly #wires: readonly string[];
  readonly #states = new Map<string, State>();
  readonly #lists = new Map<string, readonly string[]>();
  #socket: ClientSocket | null = null;
  #target: ClusterNode | null = null;

  constructor(casting: Casting, plan: EchoPlan, company: Company) {
    super(casting, company);
    this.#plan = plan;
    this.#wires = [...plan.wires, ...plan.token];
  }

  enter(): void {
    this.wanted = true;
    this.#target = this.company.pickNode();
    this.tell(`connects to ${this.#target.name}`);
    const { version, transports } = this.#plan;
    const url = this.#target.url;
    const options = { ...clientOptions({ url, version, transports }), timeout: CONNECT_MS };
    const socket = socketIo(version)(url, options);
    this.#socket = socket;
    const manager = socket.io as unknown as Manager;
    manager.on('reconnect_attempt', () => {
      forgetPast(socket);
      this.#target = this.company.pickNode();
      manager.uri = this.#target.url;
      this.tell(`connects to ${this.#target.name}`);
    });
    socket.on('connect', () => {
      if (this.#socket === socket) this.#connected();
    });
    socket.on('disconnect', (reason: string) => {
      if (this.#socket === socket) this.#lost(reason);
    });
    hearAll(socket, (event) => {
      if (this.#socket === socket) this.#hear(event);
    });
  }

  leave(): void {
    this.wanted = false;
    const socket = this.#socket;
    this.#socket = null;
    this.#lost('leaves');
    socket?.disconnect();
  }

  cut(): void {
    const engine = (this.#socket?.io as unknown as Manager | undefined)?.engine;
    if (this.node === null) return;
    this.#lost('cut by the network');
    const ws = engine?.transport?.ws;
    // A polling client's network cannot be cut from here; it closes.
    if (ws?.terminate !== undefined) ws.terminate();
    else engine?.close();
  }

  speak(): void {
    const { journal, random } = this.company;
    const on = this.#wires.filter((wire) => this.#states.get(wire) === 'on' && this.#maySpeak(wire));
    if (on.length === 0 || !journal.live) return;
    const wire = random.pick(on);
    const key = this.nextKey();
    const data = { message: key, name: 'n' };
    const sends =
      this.#plan.token.includes(wire) && (wire === 'chat:1' || wire === 'chat:2' || random.chance(0.5));
    if (sends) return this.#request('send', 'send', { channel: wire, data }, key);
    this.#request('client event', 'whisper', { channel: wire, event: 'client-chaos', data }, key);
  }

  flicker(): void {
    const on = this.#wires.filter((wire) => this.#states.get(wire) === 'on');
    if (on.length === 0) return;
    const wire = this.company.random.pick(on);
    this.tell(`leaves ${wire}`);
    this.#states.set(wire, 'leaving');
    this.ended(wire);
    this.#request('unsubscribe', 'unsubscribe', { channel: wire }, null, () => {
      this.#states.set(wire, 'off');
      this.#subscribe(wire);
    });
  }

  online(): boolean {
    return this.node !== null && this.#wires.every((wire) => this.#states.get(wire) === 'on');
  }

  #maySpeak(wire: string): boolean {
    return wire.startsWith('private-') || wire.startsWith('presence-') || this.#plan.token.includes(wire);
  }

  #connected(): void {
    this.node = this.#target;
    this.tell(`connected to ${this.node?.name} as ${this.#socket?.id}`);
    for (const wire of this.#wires) this.#subscribe(wire);
  }

  /** The server's own "disconnect" would keep it away for ever; a drain and a fault must not use it. */
  #lost(reason: string): void {
    if (this.node !== null) {
      this.company.recorder.count(`echo disconnected: ${reason}`);
      if (reason === 'io server disconnect') this.accuse('told not to come back', reason);
    }
    this.#states.clear();
    this.#lists.clear();
    this.disconnected(reason);
  }

  #subscribe(wire: string): void {
    this.#states.set(wire, 'asking');
    const auth = this.#plan.token.includes(wire)
      ? { token: mintToken({ ...this.user, channel: wire.replace(/^presence-/, '') }) }
      : { headers: { Authorization: `Bearer ${this.userId}:${this.user.name}` } };
    const { node } = this;
    this.#request('subscribe', 'subscribe', { channel: wire, auth }, null, (answer) => {
      if (answer.ok) {
        // Its own event went before. (By polling the ack may come so late that it has left again.)
        if (this.#states.get(wire) === 'asking')
          this.accuse('answer out of turn', `ack of ${wire} before its event`);
        return;
      }
      this.#states.set(wire, 'off');
      setTimeout(
        () => {
          if (this.node === node && this.#states.get(wire) === 'off') this.#subscribe(wire);
        },
        this.company.random.between(200, 700),
      );
    });
  }

  #request(
    event: string,
    what: string,
    argument: object,
    key: string | null,
    then: (answer: Answer) => void = () => {},
  ): void {
    const id = this.asked(what, key);
    this.#socket?.emit(event, argument, (answer: Answer) => {
      const code = answer.ok ? null : (answer.code ?? answer.error?.code ?? '');
      if (this.answered(id, code)) then(answer);
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: arguments of every shape
  #hear({ event, args: [wire, data] }: { event: string; args: readonly any[] } & WireEvent): void {
    // What was under way when it left.
    if (this.node === null || this.#states.get(wire) === 'leaving') return;
    switch (event) {
      case 'connect':
      case 'disconnect':
      case 'subscription_position':
        return;
      case 'presence:subscribed':
        this.#lists.set(
          wire,
          data.map((member: { user_id: unknown }) => String(member.user_id)),
        );
        return;
      case 'subscription_succeeded':
        return this.#succeeded(wire);
      case 'subscription_error':
        if (this.#states.get(wire) === 'on')
          this.accuse('unexpected refusal', `${wire} was revoked: ${data}`);
        return;
      case 'subscription_gap':
        return this.toldOfGap(wire, data.reason);
      case 'presence:joining':
        return this.announced(wire, 'joined', String(data.user_id));
      case 'presence:leaving':
        return this.announced(wire, 'left', String(data.user_id));
      case 'message':
        return this.heard(wire, data.sender === undefined ? data.message : data.data.message);
      default:
        return this.heard(wire, eventId(data.message, wire));
    }
  }

  #succeeded(wire: string): void {
    this.#states.set(wire, 'on');
    const token = this.#plan.token.includes(wire);
    const kind = kindOf(wire, token);
    const named = token || isListed(kind);
    const list = isListed(kind) ? (this.#lists.get(wire) ?? []) : null;
    this.opened({ wire, kind, raw: false, named, socketId: this.#socket?.id ?? '', list });
  }
}

function kindOf(wire: string, token: boolean): Kind {
  if (wire.startsWith('presence-')) return 'presence';
  if (wire.startsWith('private-')) return 'private';
  return token ? 'token' : 'public';
}

/** Pages come back with what they had; visitors begin anew each time, as clients below 4.6 do. */
function forgetPast(socket: ClientSocket): void {
  Object.assign(socket, { _pid: undefined, _lastOffset: undefined });
}
