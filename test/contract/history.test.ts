import { MemoryBus } from '../../server/broker/bus/memory-bus.ts';
import { Heard, quietLog } from './heard.ts';
import { describeHistory } from './history-behaviour.ts';

describeHistory('The memory bus', async (bounds) => {
  const heard = new Heard();
  const bus = new MemoryBus({ log: quietLog(), bounds });
  bus.listen(heard);
  await bus.start();
  return { nodes: [{ bus, heard }], stop: () => bus.stop() };
});
