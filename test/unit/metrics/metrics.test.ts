import { describe, expect, it } from 'vitest';
import { Metrics } from '../../../server/metrics/metrics.ts';

function metricsOf(seatCount = () => 0) {
  return new Metrics({
    seatCount,
    busLagMs: () => 5,
    laravel: () => ({ waiting: 0, isGivenUp: false }),
    processMetrics: false,
  });
}

/** The samples of a page, by their names with labels. */
async function samples(metrics: Metrics): Promise<Record<string, number>> {
  const lines = (await metrics.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

describe('metrics', () => {
  it('show what is held now, down to zero again', async () => {
    let seats = 2;
    const metrics = metricsOf(() => seats);
    metrics.connectionOpened('echo');
    metrics.connectionOpened('echo');
    metrics.connectionOpened('raw');
    metrics.subscribed('presence');
    expect(metrics.snapshot()).toEqual({
      connections: { echo: 2, raw: 1 },
      subscriptions: { presence: 1 },
      members: 2,
    });
    expect(await samples(metrics)).toMatchObject({
      'yamabiko_connections{protocol="echo"}': 2,
      'yamabiko_connections{protocol="raw"}': 1,
      'yamabiko_subscriptions{kind="presence"}': 1,
      yamabiko_members: 2,
    });
    metrics.connectionClosed('echo');
    metrics.connectionClosed('echo');
    metrics.connectionClosed('raw');
    metrics.unsubscribed('presence');
    seats = 0;
    expect(metrics.snapshot()).toEqual({
      connections: { echo: 0, raw: 0 },
      subscriptions: { presence: 0 },
      members: 0,
    });
    expect(await samples(metrics)).toMatchObject({
      'yamabiko_connections{protocol="echo"}': 0,
      'yamabiko_subscriptions{kind="presence"}': 0,
      yamabiko_members: 0,
    });
  });

  it('count what happened', async () => {
    const metrics = metricsOf();
    metrics.broadcast('event');
    metrics.broadcast('joined');
    metrics.delivered('raw', 1_000);
    metrics.delivered('raw', 0);
    metrics.dropped('redis', 'bad_json');
    metrics.refused('token_expired');
    metrics.refused('token_expired');
    metrics.authRequest('granted', 0.02);
    metrics.authRequest('timeout', 9);
    metrics.busGap('reconnect');
    expect(await samples(metrics)).toMatchObject({
      'yamabiko_broadcasts_total{type="event"}': 1,
      'yamabiko_broadcasts_total{type="joined"}': 1,
      'yamabiko_deliveries_total{protocol="raw"}': 1_000,
      'yamabiko_dropped_total{source="redis",reason="bad_json"}': 1,
      'yamabiko_refusals_total{code="token_expired"}': 2,
      'yamabiko_auth_requests_total{outcome="granted"}': 1,
      'yamabiko_auth_requests_total{outcome="timeout"}': 1,
      'yamabiko_auth_seconds_bucket{le="0.025"}': 1,
      yamabiko_auth_seconds_count: 2,
      'yamabiko_bus_gaps_total{reason="reconnect"}': 1,
    });
  });

  it('show whether the bus is ready, not ready at first', async () => {
    const metrics = metricsOf();
    const ready = async () => (await samples(metrics)).yamabiko_bus_ready;
    expect(await ready()).toBe(0);
    metrics.busReady(true);
    expect(await ready()).toBe(1);
    metrics.busReady(false);
    expect(await ready()).toBe(0);
  });

  it('can be handed on as plain callbacks', () => {
    const metrics = metricsOf();
    const { connectionOpened } = metrics;
    connectionOpened('raw');
    expect(metrics.snapshot().connections).toEqual({ raw: 1 });
  });

  it('of two servers in one process stay apart', async () => {
    const [one, two] = [metricsOf(), metricsOf()];
    one.refused('forbidden');
    expect(Object.keys(await samples(two)).filter((name) => name.startsWith('yamabiko_refusals'))).toEqual(
      [],
    );
    const both = [1, 2].map(
      () =>
        new Metrics({
          seatCount: () => 0,
          busLagMs: () => 5,
          laravel: () => ({ waiting: 0, isGivenUp: false }),
          processMetrics: true,
        }),
    );
    for (const metrics of both)
      expect(await samples(metrics)).toHaveProperty('process_resident_memory_bytes');
    expect(await samples(one)).not.toHaveProperty('process_resident_memory_bytes');
  });

  it('keep labels few and plain, whatever they are handed', async () => {
    const metrics = metricsOf();
    const secret = 'eyJhbGciOiJIUzI1NiJ9.e30.x';
    metrics.dropped('redis', `cannot read ${secret}`);
    metrics.dropped('redis', secret);
    metrics.dropped('redis', '__proto__');
    metrics.busGap('x'.repeat(41));
    for (let i = 0; i < 1_000; i++) {
      metrics.dropped('redis', `channel_${i}`);
      metrics.connectionOpened(`protocol_${i}`);
      metrics.connectionClosed(`protocol_${i}`);
    }
    const seen = await samples(metrics);
    expect(Object.keys(seen).filter((name) => name.startsWith('yamabiko_dropped_total'))).toHaveLength(33);
    expect(seen['yamabiko_dropped_total{source="redis",reason="other"}']).toBe(3 + 1_000 - 32);
    expect(seen['yamabiko_bus_gaps_total{reason="other"}']).toBe(1);
    expect(Object.values(metrics.snapshot().connections)).toEqual(Array(33).fill(0));
    expect(await metrics.metrics()).not.toContain(secret);
  });
});
