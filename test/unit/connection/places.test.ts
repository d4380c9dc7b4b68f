import { describe, expect, it } from 'vitest';
import { type Place, Places } from '../../../server/connection/places.ts';

const placesOf = (maxConnections: number, maxPerAddress = 0) => new Places({ maxConnections, maxPerAddress });

describe('the places of a node', () => {
  it('are full at their bound, until one is given back, once', () => {
    const places = placesOf(2);
    const first = places.take(null) as Place;
    places.take(null);
    expect(places.take(null)).toMatchObject({ code: 'limit_reached', retryAfterMs: 5_000 });
    first.free();
    first.free();
    expect(places.taken).toBe(1);
    expect(places.take(null)).toHaveProperty('free');
    expect(places.take(null)).toMatchObject({ code: 'limit_reached' });
  });

  it('are counted by address only where they are bounded by it, and never for who has none', () => {
    const places = placesOf(100, 1);
    const place = places.take('192.0.2.1') as Place;
    expect(places.take('192.0.2.1')).toMatchObject({ code: 'limit_reached' });
    for (let n = 0; n < 5; n++) expect(places.take(null)).toHaveProperty('free');
    place.free();
    expect(places.take('192.0.2.1')).toHaveProperty('free');
    const open = placesOf(100);
    for (let n = 0; n < 5; n++) expect(open.take('192.0.2.1')).toHaveProperty('free');
  });
});
