import { type Check, type Finding, fault, ok, warning } from '../check.ts';

/** An HTTP date has whole seconds, and the answer takes its time. */
const DATE_SLACK_MS = 2_000;
const REDIS_TOLERANCE_MS = 2_000;

/** Clocks that go apart: tokens are then not valid yet, or over at once. */
export const clocksCheck: Check = {
  name: 'clocks',
  run: async ({ askLaravel, redis, config }) => {
    const toleranceMs = config.jwt.clockToleranceSeconds * 1000;
    const findings: Finding[] = [];
    const reply = await askLaravel();
    const date = reply !== null && !('failed' in reply) ? reply.date : null;
    const laravelAheadMs = date === null ? Number.NaN : Date.parse(date) - Date.now();
    if (Math.abs(laravelAheadMs) > toleranceMs + DATE_SLACK_MS)
      findings.push(
        fault(
          `Laravel's clock is ${told(laravelAheadMs)} this machine's: its tokens are refused`,
          'let both keep time by NTP (chrony, systemd-timesyncd); YAMABIKO_JWT_CLOCK_TOLERANCE_SECONDS bears up to 300 s',
        ),
      );
    const redisAheadMs = redis === null ? Number.NaN : await aheadOfUs(redis);
    if (Math.abs(redisAheadMs) > REDIS_TOLERANCE_MS)
      findings.push(
        warning(
          `the clock of Redis is ${told(redisAheadMs)} this machine's: what logs say does not fit together`,
          'let both keep time by NTP',
        ),
      );
    const compared = [
      ...(Number.isNaN(laravelAheadMs) ? [] : ["Laravel's"]),
      ...(Number.isNaN(redisAheadMs) ? [] : ["Redis's"]),
    ];
    if (findings.length > 0 || compared.length === 0) return findings;
    return [ok(`goes with ${compared.join(' and ')}`)];
  },
};

async function aheadOfUs(redis: { time(): Promise<unknown> }): Promise<number> {
  const before = Date.now();
  const answer = await redis.time().catch(() => null);
  if (!Array.isArray(answer)) return Number.NaN;
  const [seconds, micros] = answer.map(Number);
  // In the middle of the question and its answer.
  return (seconds ?? 0) * 1000 + (micros ?? 0) / 1000 - (before + Date.now()) / 2;
}

function told(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
}
