import { describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../server/domain/channel-name.ts';
import { createMember } from '../../../server/domain/member.ts';
import { UnavailableError } from '../../../server/domain/outcome.ts';
import { AnswerQuery, type QueryParts } from '../../../server/flows/answer-query.ts';
import type { ChannelQueries } from '../../../server/protocols/echo/http-api.ts';

const alice = createMember({ userIdJson: '1', socketId: '1.1' });
const bob = createMember({ userIdJson: '2', socketId: '2.2' });

const news: ChannelName = { wire: 'news', kind: 'public', base: 'news' };
const privateChat: ChannelName = { wire: 'private-chat', kind: 'private', base: 'chat' };
const presenceChat: ChannelName = { wire: 'presence-chat', kind: 'presence', base: 'chat' };

function queries(
  nodes: Record<string, number>[],
  { rooms = {}, ...overrides }: { rooms?: Record<string, (typeof alice)[]> } & Partial<QueryParts> = {},
): ChannelQueries {
  const [own = {}, ...others] = nodes.map((counts) => new Map(Object.entries(counts)));
  return new AnswerQuery({
    hub: { counts: () => own as Map<string, number> },
    peers: { ask: async () => others },
    roster: { members: async (room) => ({ revision: 1, members: rooms[room] ?? [] }) },
    roomOf: (channel) => channel.base,
    ...overrides,
  });
}

describe('answer-query', () => {
  it('sums the subscriptions of all nodes', async () => {
    const asked = queries([{ news: 2, 'presence-chat': 1 }, { news: 3 }, { other: 1 }]);
    expect(await asked.status()).toEqual({ subscriptionCount: 7 });
    expect(await asked.channel(news)).toEqual({ subscriptionCount: 5, occupied: true });
  });

  it('lists the channels that have subscriptions, those of the prefix', async () => {
    const asked = queries([
      { news: 2, 'presence-chat': 1, gone: 0 },
      { news: 3, 'presence-room': 2, 'x.presence-': 1 },
    ]);
    expect([...(await asked.channels(''))]).toEqual([
      ['news', { subscriptionCount: 5, occupied: true }],
      ['presence-chat', { subscriptionCount: 1, occupied: true }],
      ['presence-room', { subscriptionCount: 2, occupied: true }],
      ['x.presence-', { subscriptionCount: 1, occupied: true }],
    ]);
    expect([...(await asked.channels('presence-')).keys()]).toEqual(['presence-chat', 'presence-room']);
    expect([...(await asked.channels('presence.')).keys()]).toEqual([]);
    expect([...(await asked.channels('.*')).keys()]).toEqual([]);
  });

  it("counts a presence channel's users in the whole room, raw sessions of X among them", async () => {
    const asked = queries([{ chat: 2 }], { rooms: { chat: [alice, bob] } });
    expect(await asked.channel(presenceChat)).toEqual({ subscriptionCount: 0, occupied: true, userCount: 2 });
    expect(await asked.users(presenceChat)).toEqual([alice, bob]);
  });

  it('finds a presence channel occupied by subscriptions without a member, too', async () => {
    const asked = queries([{ 'presence-chat': 1 }]);
    expect(await asked.channel(presenceChat)).toEqual({ subscriptionCount: 1, occupied: true, userCount: 0 });
  });

  it('tells no users of a channel that is not for presence, and does not ask for them', async () => {
    const roster = { members: () => Promise.reject(new Error('asked')) };
    const asked = queries([{ 'private-chat': 1 }], { roster });
    expect(await asked.channel(privateChat)).toEqual({ subscriptionCount: 1, occupied: true });
    expect(await asked.users(privateChat)).toEqual([]);
  });

  it('knows nothing of what nobody subscribed to', async () => {
    const asked = queries([{}]);
    expect(await asked.status()).toEqual({ subscriptionCount: 0 });
    expect(await asked.channel(news)).toEqual({ subscriptionCount: 0, occupied: false });
    expect(await asked.channel(presenceChat)).toEqual({
      subscriptionCount: 0,
      occupied: false,
      userCount: 0,
    });
  });

  it('asks the room that the definition names, and none where it shows nobody', async () => {
    const rooms = { chat: [alice], 'presence-chat': [bob] };
    const apart = queries([{}], { rooms, roomOf: (channel) => channel.wire });
    expect(await apart.users(presenceChat)).toEqual([bob]);
    const hidden = queries([{}], { rooms, roomOf: () => null });
    expect(await hidden.users(presenceChat)).toEqual([]);
  });

  it('is unavailable where the roster or the other nodes are', async () => {
    const away = () => Promise.reject(new UnavailableError('away'));
    const noPeers = queries([{}], { peers: { ask: away } });
    for (const answer of [noPeers.status(), noPeers.channels(''), noPeers.channel(news)])
      await expect(answer).rejects.toThrow(UnavailableError);
    const noRoster = queries([{}], { roster: { members: away } });
    for (const answer of [noRoster.channel(presenceChat), noRoster.users(presenceChat)])
      await expect(answer).rejects.toThrow(UnavailableError);
  });
});
