import type { Agent } from 'node:http';
import { type Answer, ask } from './ask.ts';
import type { RunningProxy } from './proxy.ts';
import type { YamabikoNode } from './yamabiko-node.ts';

const PATH = '/socket.io/?EIO=4&transport=polling';
/** Engine.IO's packets. */
const CLOSE = '1';
const PONG = '3';

/** An Engine.IO session by bare requests, each of which the proxy may send where it likes. */
export class PollingSession {
  readonly sid: string;
  /** What the proxy set, for a client that keeps cookies. */
  readonly cookie: string;
  readonly #proxy: RunningProxy;

  private constructor(proxy: RunningProxy, sid: string, cookie: string) {
    this.#proxy = proxy;
    this.sid = sid;
    this.cookie = cookie;
  }

  static async open(proxy: RunningProxy, agent: Agent): Promise<PollingSession> {
    const { status, body, headers } = await ask(proxy.url, PATH, { agent });
    const sid = /"sid":"([^"]+)"/.exec(body)?.[1];
    if (status !== 200 || sid === undefined) throw new Error(`the handshake was answered ${status} ${body}`);
    const cookie = (headers['set-cookie'] ?? []).map((set) => set.split(';')[0]).join('; ');
    return new PollingSession(proxy, sid, cookie);
  }

  /** One more request of the session. */
  post(agent: Agent, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return ask(this.#proxy.url, `${PATH}&sid=${this.sid}`, { agent, headers, body: PONG });
  }

  /** Ends it at the node itself. @returns whether that node had it */
  async endAt(node: YamabikoNode): Promise<boolean> {
    return (await ask(node.url, `${PATH}&sid=${this.sid}`, { body: CLOSE })).status === 200;
  }
}

/** Addresses of this machine whose polls the proxy sends to the first and to the second node. */
export async function addressesByNode(
  proxy: RunningProxy,
  nodes: readonly [YamabikoNode, YamabikoNode],
): Promise<readonly [string, string]> {
  const found: (string | undefined)[] = [undefined, undefined];
  for (let last = 2; last < 60; last++) {
    const address = `127.0.0.${last}`;
    const session = await PollingSession.open(proxy, proxy.from(address));
    const ended = await Promise.all(nodes.map((node) => session.endAt(node)));
    found[ended.indexOf(true)] ??= address;
    const [first, second] = found;
    if (first !== undefined && second !== undefined) return [first, second];
  }
  throw new Error('the proxy sends every address to the same node');
}
