import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../server/domain/outcome.ts';
import { publishEvent } from '../../../server/flows/publish-event.ts';

describe('publish-event', () => {
  it("publishes Laravel's envelope on each channel, the data byte for byte", async () => {
    const published: [string, string][] = [];
    const bus = {
      publish: async (channel: string, payload: string | Buffer) =>
        void published.push([channel, String(payload)]),
    };
    const dataJson = '{"id":9223372036854775807 ,"f":1.0}';
    await publishEvent(bus, { wires: ['news', 'private-a'], event: 'App\\"E"', dataJson, socketId: null });
    await publishEvent(bus, { wires: ['news'], event: 'e', dataJson: '"x"', socketId: '1"2' });
    const first = `{"event":"App\\\\\\"E\\"","data":${dataJson},"socket":null}`;
    expect(published).toEqual([
      ['news', first],
      ['private-a', first],
      ['news', '{"event":"e","data":"x","socket":"1\\"2"}'],
    ]);
  });

  it('is unavailable where the bus takes it on some channels only', async () => {
    const bus = {
      publish: (channel: string) =>
        channel === 'a' ? Promise.resolve() : Promise.reject(new UnavailableError('timed out')),
    };
    const toPublish = { wires: ['a', 'b', 'c'], event: 'e', dataJson: '1', socketId: null };
    await expect(publishEvent(bus, toPublish)).rejects.toThrow(UnavailableError);
  });
});
