import { expect, vi } from 'vitest';
import type { BrokerLog } from '../../server/broker/broker-log.ts';
import type { BusListener } from '../../server/broker/bus/bus.ts';

const PATIENCE = { timeout: 15_000, interval: 5 };

/** A bus listener that remembers; tests wait for what they need instead of sleeping. */
export class Heard implements BusListener {
  readonly deliveries: { channel: string; payload: Buffer }[] = [];
  readonly gaps: string[] = [];
  /** Of each delivery and gap, in their order. */
  readonly positions: (string | null)[] = [];
  readonly readinesses: boolean[] = [];
  /** Called for each delivery, after it was remembered. */
  onDeliver: (channel: string, text: string) => void = () => {};

  deliver(channel: string, payload: Buffer, position: string | null): void {
    this.positions.push(position);
    this.deliveries.push({ channel, payload });
    this.onDeliver(channel, payload.toString());
  }

  gap(reason: string, position: string | null): void {
    this.positions.push(position);
    this.gaps.push(reason);
  }

  readiness(ready: boolean): void {
    this.readinesses.push(ready);
  }

  /** The payloads heard on a channel so far, as text. */
  on(channel: string): string[] {
    return this.deliveries.filter((d) => d.channel === channel).map((d) => d.payload.toString());
  }

  async payloads(channel: string, count: number): Promise<string[]> {
    await until(() => this.on(channel).length >= count, `${count} payloads on ${channel}`);
    return this.on(channel);
  }
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await vi.waitFor(async () => expect(await condition(), what).toBe(true), PATIENCE);
}

/** A log that keeps its lines; what a failing test needs to see. */
export function quietLog(): BrokerLog & { lines: { level: string; fields: object; message: string }[] } {
  const lines: { level: string; fields: object; message: string }[] = [];
  const keep = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return { lines, info: keep('info'), warn: keep('warn'), error: keep('error') };
}
