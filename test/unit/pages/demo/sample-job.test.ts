import { describe, expect, it, vi } from 'vitest';
import { createSampleJobs } from '../../../../server/pages/demo/sample-job.ts';

interface Step {
  readonly title: string;
  readonly cursor: number;
}

function setUp({ jobStepMs = 0, publish }: { jobStepMs?: number; publish?: () => Promise<void> } = {}) {
  const abort = new AbortController();
  const logger = { warn: vi.fn() };
  const steps: Step[] = [];
  const record = async (_channel: string, payload: string) => {
    const { info } = JSON.parse(payload).data;
    steps.push({ title: info.title, cursor: info.detail.cursor });
  };
  const jobs = createSampleJobs({ publish: publish ?? record, signal: abort.signal, logger, jobStepMs });
  return { jobs, steps, abort, logger };
}

const cursorsOf = (steps: Step[], title: string) =>
  steps.filter((s) => s.title === title).map((s) => s.cursor);

describe('the sample job', () => {
  it('publishes every step, in order, up to its total', async () => {
    const { jobs, steps } = setUp();
    expect(jobs.start(5)).toMatchObject({ title: 'Sample job 1', channel: 'broadcast' });
    await vi.waitFor(() => expect(cursorsOf(steps, 'Sample job 1')).toEqual([1, 2, 3, 4, 5]));
  });

  it('runs three at once, refuses a fourth, and takes it when one has ended', async () => {
    const { jobs } = setUp();
    for (let n = 0; n < 3; n++) expect(jobs.start(3)).toHaveProperty('title');
    expect(jobs.start(3)).toMatchObject({ ok: false, code: 'limit_reached', status: 429 });
    await vi.waitFor(() => expect(jobs.start(3)).toHaveProperty('title'));
  });

  it('ends with the server, silently, and starts no more', async () => {
    const cursors: number[] = [];
    const stopping = setUp({
      publish: async () => {
        if (cursors.push(cursors.length + 1) === 2) stopping.abort.abort();
      },
    });
    const goingOn = setUp();
    stopping.jobs.start(5);
    goingOn.jobs.start(5);
    expect(goingOn.jobs.start(5)).toHaveProperty('title');
    await vi.waitFor(() => expect(goingOn.steps).toHaveLength(10));
    expect(cursors).toEqual([1, 2]);
    expect(stopping.jobs.start(5)).toMatchObject({ ok: false, code: 'restarting' });
    expect(stopping.logger.warn).not.toHaveBeenCalled();
  });

  it('ends with a warning when the bus is away, and gives its place back', async () => {
    const { jobs, logger } = setUp({ publish: () => Promise.reject(new Error('away')) });
    for (let n = 0; n < 3; n++) jobs.start(5);
    await vi.waitFor(() => expect(logger.warn).toHaveBeenCalledTimes(3));
    expect(jobs.start(5)).toHaveProperty('title');
  });
});
