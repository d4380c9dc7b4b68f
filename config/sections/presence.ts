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
} as const;
