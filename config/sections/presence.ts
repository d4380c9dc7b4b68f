import { integer } from '../kinds.ts';

export const presenceSettings = {
  graceMs: integer({
    env: 'YAMABIKO_PRESENCE_GRACE_MS',
    unit: 'ms',
    default: 0,
    min: 0,
    max: 600_000,
    doc: 'How long a user stays in the list whose last connection ended (a reload, a cut, a server that restarts): back within it, on any node, he is announced neither as leaving nor as joining. Who unsubscribes leaves at once. 0: everybody does; 5000 is enough for a reload.',
  }),
  maxMemberBytes: integer({
    env: 'YAMABIKO_MAX_MEMBER_BYTES',
    unit: 'bytes',
    default: 16_384,
    min: 128,
    max: 1_048_576,
    doc: 'What Laravel or a token may say of one member, as JSON; who brings more is refused with `too_large`. Each member is sent to all others, and the whole list to everybody who comes.',
  }),
  maxMembers: integer({
    env: 'YAMABIKO_MAX_MEMBERS',
    unit: 'users',
    default: 10_000,
    defaultText: '10000 users',
    min: 0,
    max: 10_000_000,
    doc: "Users that one room's list may show, over all nodes; the next is refused with `limit_reached`. Everybody hears of everybody: for larger rooms set `users: false` in the channel's definition. 0: no limit.",
  }),
} as const;
