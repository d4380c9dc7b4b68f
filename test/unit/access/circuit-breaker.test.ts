import { expect, test } from 'vitest';
import { CircuitBreaker } from '../../../server/access/circuit-breaker.ts';

/** A breaker that has opened at 0. */
function open(pauseMs = 1000): CircuitBreaker {
  const breaker = new CircuitBreaker({ failures: 2, pauseMs });
  for (const passage of [breaker.enter(), breaker.enter()]) breaker.saw(passage, false, 0);
  expect(breaker.isOpen).toBe(true);
  return breaker;
}

test('opens after so many failures in a row, and an answer begins the row anew', () => {
  const breaker = new CircuitBreaker({ failures: 2, pauseMs: 1000 });
  expect(breaker.saw(breaker.enter(), false, 0)).toBe(false);
  breaker.saw(breaker.enter(), true, 0);
  expect(breaker.saw(breaker.enter(), false, 0)).toBe(false);
  expect(breaker.saw(breaker.enter(), false, 0), 'this opened it').toBe(true);
});

test('says for how long, a little more by chance and never less', () => {
  const breaker = open();
  for (let i = 0; i < 100; i++) {
    expect(breaker.awayMs(400)).toBeGreaterThanOrEqual(600);
    expect(breaker.awayMs(400)).toBeLessThan(900);
  }
  expect(breaker.awayMs(1000)).toBeNull();
});

test('lets one through after the pause and sends the others away until that one is back', () => {
  const breaker = open();
  const trial = breaker.enter();
  expect(breaker.awayMs(1500)).not.toBeNull();
  expect(breaker.saw(trial, true, 1500), 'this closed it').toBe(true);
  expect(breaker.awayMs(1500)).toBeNull();
});

test('pauses twice as long each time the trial fails, up to sixteen times, and begins anew when it has closed', () => {
  const breaker = open(10);
  const pauses: number[] = [];
  let nowMs = 10;
  for (let i = 0; i < 7; i++) {
    breaker.saw(breaker.enter(), false, nowMs);
    const pauseMs = [20, 40, 80, 160].find((ms) => breaker.awayMs(nowMs + ms) === null) ?? Number.NaN;
    pauses.push(pauseMs);
    nowMs += pauseMs;
  }
  expect(pauses).toEqual([20, 40, 80, 160, 160, 160, 160]);
  breaker.saw(breaker.enter(), true, nowMs);
  for (let i = 0; i < 2; i++) breaker.saw(breaker.enter(), false, nowMs);
  expect(breaker.awayMs(nowMs + 10)).toBeNull();
});

test('takes late failures from before it opened for no news, and a late answer for a sign of life', () => {
  const breaker = new CircuitBreaker({ failures: 2, pauseMs: 1000 });
  const [a, b, late, answered] = [breaker.enter(), breaker.enter(), breaker.enter(), breaker.enter()];
  breaker.saw(a, false, 0);
  breaker.saw(b, false, 0);
  const trial = breaker.enter();
  breaker.saw(late, false, 1200);
  expect(breaker.awayMs(1200), 'the trial is still under way').not.toBeNull();
  breaker.saw(answered, true, 1300);
  expect(breaker.isOpen).toBe(false);
  breaker.saw(trial, null, 1400);
  expect(breaker.isOpen).toBe(false);
});

test('lets the next one try where nobody waited for the trial', () => {
  const breaker = open();
  breaker.saw(breaker.enter(), null, 1000);
  expect(breaker.isOpen).toBe(true);
  expect(breaker.awayMs(1000)).toBeNull();
});

test('never opens where no number of failures is set', () => {
  const breaker = new CircuitBreaker({ failures: 0, pauseMs: 1000 });
  for (let i = 0; i < 1000; i++) breaker.saw(breaker.enter(), false, 0);
  expect(breaker.isOpen).toBe(false);
});
