import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel, withClients } from '../crowd.ts';
import { type Load, publishToAll } from '../load.ts';
import { startNode } from '../node.ts';
import { withServer } from '../stage.ts';
import type { BusKind } from '../targets/bus-kind.ts';
import { settingsOf } from '../targets/bus-kind.ts';
import { yamabikoEcho } from '../targets/yamabiko-echo.ts';
import { yamabikoRawLog } from '../targets/yamabiko-raw.ts';

/** The same clients, who ask for positions, on either bus. */
const TARGETS = [
  { ...yamabikoRawLog, name: 'yamabiko, raw with since' },
  { ...yamabikoEcho, name: 'yamabiko, Echo (Socket.IO)' },
];

/** What one delivery costs a node on this bus, in microseconds of CPU. */
export async function fanOut(
  bus: BusKind,
  receivers: number,
  loads: readonly Load[],
  note: (target: string, load: string, cpuPerDelivery: number) => void,
): Promise<void> {
  for (const target of TARGETS) {
    const served = {
      ...target,
      start: ({ redisUrl }: { redisUrl: string }) => startNode(redisUrl, settingsOf(bus)),
    };
    await withServer(served, async ({ child, port, redis }) => {
      const opening = inParallel(receivers, 50, () => target.open(port, 'bench'));
      await withClients(opening, async (clients) => {
        await sleep(300);
        const publication = target.publication('bench', `{"text":"${'x'.repeat(80)}"}`);
        for (const load of loads) {
          const publish = (events: number) => publishToAll(clients, redis, publication, { ...load, events });
          await publish(load.events / 5);
          const cpuBefore = child.cpuMicroseconds();
          const { due, lost } = await publish(load.events);
          if (lost > 0) throw new Error(`${lost} deliveries of ${due} were lost`);
          note(target.name, load.name, (child.cpuMicroseconds() - cpuBefore) / due);
        }
      });
    });
  }
}
