/** A user as this page's rooms show him; Laravel's own ids may be strings. */
export interface RoomUser {
  readonly id: number | string;
  readonly name: string;
}

/** One of this tab's three users. */
export interface DemoUser extends RoomUser {
  readonly id: number;
}

export interface Party {
  readonly mountain: string;
  readonly raw: DemoUser;
  readonly echo: DemoUser;
  readonly connector: DemoUser;
}

const BIRDS = [
  'Uguisu',
  'Hayabusa',
  'Raicho',
  'Tsubame',
  'Mejiro',
  'Kawasemi',
  'Hibari',
  'Sekirei',
  'Kiji',
  'Suzume',
];
const MOUNTAINS = [
  'Takao',
  'Fuji',
  'Daisen',
  'Hotaka',
  'Gassan',
  'Tateyama',
  'Tsurugi',
  'Iwate',
  'Zao',
  'Aso',
];
const STORAGE_KEY = 'yamabiko-demo-party';

/** Three birds of one mountain: the same ones each time this tab is loaded, others in another tab. */
export function partyOfThisTab(): Party {
  const kept = keptParty();
  if (kept !== null) return kept;
  const party = newParty();
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(party));
  return party;
}

function keptParty(): Party | null {
  const text = sessionStorage.getItem(STORAGE_KEY);
  return text === null ? null : (JSON.parse(text) as Party);
}

function newParty(): Party {
  const mountain = MOUNTAINS[randomBelow(MOUNTAINS.length)] ?? 'Takao';
  // Ids of three neighbours; ten million parties are enough to keep two tabs apart.
  const firstId = 1 + 3 * randomBelow(10_000_000);
  const start = randomBelow(BIRDS.length);
  const bird = (n: number): DemoUser => {
    const name = BIRDS[(start + n * 3) % BIRDS.length] ?? 'Uguisu';
    return { id: firstId + n, name: `${name} of ${mountain}` };
  };
  return { mountain, raw: bird(0), echo: bird(1), connector: bird(2) };
}

function randomBelow(limit: number): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % limit;
}
