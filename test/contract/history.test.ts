import { expect, it } from 'vitest';
import { MemoryBus } from '../../server/broker/bus/memory-bus.ts';
import { Heard, quietLog } from './heard.ts';
import { describeHistory } from './history-behaviour.ts';
import { comeBack } from './history-client.ts';

describeHistory('The memory bus', async (bounds) => {
  const heard = new Heard();
  const bus = new MemoryBus({ log: quietLog(), bounds });
  bus.listen(heard);
  await bus.start();
  return { nodes: [{ bus, heard }], stop: () => bus.stop() };
});

it('The memory bus without a history goes live at once, but not for who was given up', async () => {
  const bus = new MemoryBus({ log: quietLog(), bounds: null });
  await bus.start();
  const back = await comeBack(bus, { from: '1-1', channels: ['a'] });
  expect(back).toEqual({ pages: [], items: [], live: { items: [], complete: false, position: null } });
  const gone = await comeBack(bus, { from: '1-1', channels: ['a'], signal: AbortSignal.abort() });
  expect(gone.live).toBeNull();
});
