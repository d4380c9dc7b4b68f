/** Plain Redis Pub/Sub, or the log of broadcasts, which loses no events. */
export const BUSES = ['plain', 'log'] as const;
export type BusKind = (typeof BUSES)[number];

export const settingsOf = (bus: BusKind) => ({ YAMABIKO_RECOVERY: bus === 'log' ? 'on' : 'off' });
