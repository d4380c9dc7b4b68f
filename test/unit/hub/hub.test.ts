import { describe, expect, it } from 'vitest';
import { type Broadcast, EVERYBODY, type Recipients } from '../../../server/domain/broadcast.ts';
import { webSocketTextFrame } from '../../../server/domain/frame.ts';
import type { Audience, Protocol } from '../../../server/domain/protocol.ts';
import type { SubscriptionKind } from '../../../server/domain/subscription.ts';
import { Hub, type HubObserver, type Listener } from '../../../server/hub/hub.ts';

const NEWS: Broadcast = { type: 'event', event: 'news', data: '1' };

/** Writes every broadcast as its name, and remembers how often it was asked. */
class TestProtocol implements Protocol {
  readonly name: string;
  readonly asked: { readonly wire: string; readonly position: string | null }[] = [];
  constructor(name = 'test') {
    this.name = name;
  }
  deliver(audience: Audience, broadcast: Broadcast, position: string | null): void {
    this.asked.push({ wire: audience.wire, position });
    const text = broadcast.type === 'event' ? broadcast.event : broadcast.type;
    audience.write({ text, webSocketFrame: webSocketTextFrame(text) });
  }
}

interface Options {
  readonly wire?: string;
  readonly kind?: SubscriptionKind;
  readonly userId?: string | null;
}

const hubOf = (observer: Partial<HubObserver> = {}) =>
  new Hub({
    delivered: () => {},
    faulted: (_protocol, error) => {
      throw error;
    },
    ...observer,
  });

let ids = 0;
function listenerOf(protocol: Protocol, { wire = 'x', kind = 'public', userId = null }: Options = {}) {
  const heard: string[] = [];
  const listener: Listener & { readonly heard: string[] } = {
    wire,
    kind,
    userId,
    protocol,
    socketIds: [`1.${++ids}`],
    awaitsOn: () => false,
    write: (frame) => void heard.push(frame.text),
    heard,
  };
  return listener;
}

describe('the hub', () => {
  const to = (recipients: Partial<Recipients>): Recipients => ({ ...EVERYBODY, ...recipients });

  it('brings a broadcast to those who listen to the channel, and to nobody else', () => {
    const [hub, protocol] = [hubOf(), new TestProtocol()];
    const [here, elsewhere] = [listenerOf(protocol), listenerOf(protocol, { wire: 'y' })];
    hub.join(here);
    hub.join(elsewhere);
    hub.deliver('x', ['public'], NEWS, EVERYBODY, null);
    hub.deliver('nobody', ['public'], NEWS, EVERYBODY, null);
    expect([here.heard, elsewhere.heard]).toEqual([['news'], []]);
  });

  it('asks each protocol once, however many listen, with the position', () => {
    const hub = hubOf();
    const protocols = [new TestProtocol('a'), new TestProtocol('b')];
    const listeners = protocols.flatMap((p) => [listenerOf(p), listenerOf(p), listenerOf(p)]);
    for (const listener of listeners) hub.join(listener);
    hub.deliver('x', ['public'], NEWS, EVERYBODY, '5-0');
    for (const { asked } of protocols) expect(asked).toEqual([{ wire: 'x', position: '5-0' }]);
    for (const { heard } of listeners) expect(heard).toEqual(['news']);
  });

  it('brings it to the kinds that it is for', () => {
    const [hub, protocol] = [hubOf(), new TestProtocol()];
    const [guest, member] = [listenerOf(protocol), listenerOf(protocol, { kind: 'token' })];
    hub.join(guest);
    hub.join(member);
    hub.deliver('x', ['token'], NEWS, EVERYBODY, null);
    expect([guest.heard, member.heard]).toEqual([[], ['news']]);
    hub.deliver('x', ['public', 'token'], NEWS, EVERYBODY, null);
    expect([guest.heard, member.heard]).toEqual([['news'], ['news', 'news']]);
  });

  it('leaves out the one connection that is named, and nobody for a name that nobody bears', () => {
    const [hub, protocol] = [hubOf(), new TestProtocol()];
    const [sender, other] = [listenerOf(protocol), listenerOf(protocol)];
    hub.join(sender);
    hub.join(other);
    hub.deliver('x', ['public'], NEWS, to({ exceptSocketId: sender.socketIds[0] ?? '' }), null);
    expect([sender.heard, other.heard]).toEqual([[], ['news']]);
    hub.deliver('x', ['public'], NEWS, to({ exceptSocketId: 'x' }), null);
    expect([sender.heard, other.heard]).toEqual([['news'], ['news', 'news']]);
  });

  it('leaves out a connection by the id of one that it continues', () => {
    const [hub, protocol] = [hubOf(), new TestProtocol()];
    const again = { ...listenerOf(protocol), socketIds: ['9.3', '9.2', '9.1'] };
    const other = listenerOf(protocol);
    hub.join(again);
    hub.join(other);
    for (const exceptSocketId of ['9.1', '9.2', '9.3'])
      hub.deliver('x', ['public'], NEWS, to({ exceptSocketId }), null);
    expect([again.heard, other.heard]).toEqual([[], ['news', 'news', 'news']]);
  });

  it('brings what is for one user to his connections alone', () => {
    const [hub, protocol] = [hubOf(), new TestProtocol()];
    const [ada, bob, nobody] = ['1', '2', null].map((userId) => listenerOf(protocol, { userId }));
    for (const listener of [ada, bob, nobody]) if (listener !== undefined) hub.join(listener);
    hub.deliver('x', ['public'], NEWS, to({ userId: '1' }), null);
    expect([ada?.heard, bob?.heard, nobody?.heard]).toEqual([['news'], [], []]);
  });

  it('tells how many each protocol served, and of none that served nobody', () => {
    const told: [string, number][] = [];
    const hub = hubOf({ delivered: (protocol, receivers) => void told.push([protocol, receivers]) });
    const [a, b] = [new TestProtocol('a'), new TestProtocol('b')];
    for (const listener of [listenerOf(a), listenerOf(a), listenerOf(b, { userId: '1' })]) hub.join(listener);
    hub.deliver('x', ['public'], NEWS, EVERYBODY, null);
    hub.deliver('x', ['public'], NEWS, to({ userId: '1' }), null);
    expect(told).toEqual([
      ['a', 2],
      ['b', 1],
      ['b', 1],
    ]);
  });

  it('takes a second join or leave of the same listener as none', () => {
    const [hub, protocol] = [hubOf(), new TestProtocol()];
    const [twice, other] = [listenerOf(protocol), listenerOf(protocol)];
    hub.join(twice);
    hub.join(twice);
    hub.join(other);
    hub.deliver('x', ['public'], NEWS, EVERYBODY, null);
    expect(twice.heard).toEqual(['news']);
    hub.leave(twice);
    hub.leave(twice);
    hub.deliver('x', ['public'], NEWS, EVERYBODY, null);
    expect([twice.heard, other.heard]).toEqual([['news'], ['news', 'news']]);
  });

  it('counts by wire name over kinds and protocols, and keeps nothing of a channel that all have left', () => {
    const hub = hubOf();
    const [a, b] = [new TestProtocol('a'), new TestProtocol('b')];
    const listeners = [
      listenerOf(a),
      listenerOf(a, { kind: 'token' }),
      listenerOf(b),
      listenerOf(b, { wire: 'y' }),
    ];
    for (const listener of listeners) hub.join(listener);
    expect([...hub.counts()]).toEqual([
      ['x', 3],
      ['y', 1],
    ]);
    for (const listener of listeners) hub.leave(listener);
    expect(hub.counts().size).toBe(0);
    hub.deliver('x', ['public', 'token'], NEWS, EVERYBODY, null);
    expect([a.asked, b.asked]).toEqual([[], []]);
  });

  it('asks a protocol once for subscriptions of several kinds', () => {
    const [hub, protocol] = [hubOf(), new TestProtocol()];
    const both = (['public', 'token'] as const).map((kind) => listenerOf(protocol, { kind }));
    for (const listener of both) hub.join(listener);
    hub.deliver('x', ['public', 'token'], NEWS, EVERYBODY, null);
    expect(both.map(({ heard }) => heard)).toEqual([['news'], ['news']]);
    expect(protocol.asked).toHaveLength(1);
  });

  it('serves the others where one protocol throws, and tells', () => {
    const faults: unknown[] = [];
    const hub = hubOf({ faulted: (...fault) => void faults.push(fault) });
    const broken: Protocol = {
      name: 'broken',
      deliver: () => {
        throw new Error('a bug');
      },
    };
    const [victim, other] = [listenerOf(broken), listenerOf(new TestProtocol())];
    hub.join(victim);
    hub.join(other);
    hub.deliver('x', ['public'], NEWS, EVERYBODY, null);
    expect(other.heard).toEqual(['news']);
    expect(faults).toEqual([['broken', new Error('a bug')]]);
  });
});
