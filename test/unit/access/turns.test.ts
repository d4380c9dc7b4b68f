import { expect, test } from 'vitest';
import { Turns } from '../../../server/access/turns.ts';

const forEver = new AbortController().signal;

test('gives so many at a time, and the next one to whoever has waited longest', async () => {
  const turns = new Turns(2);
  const order: string[] = [];
  const take = (name: string) => turns.take('row', forEver).then(() => order.push(name));
  await Promise.all([take('a'), take('b')]);
  const rest = [take('c'), take('d')];
  expect(turns.waiting).toBe(2);
  turns.give();
  await rest[0];
  turns.give();
  await rest[1];
  expect(order).toEqual(['a', 'b', 'c', 'd']);
  expect(turns.waiting).toBe(0);
});

test('serves the rows in rotation', async () => {
  const turns = new Turns(1);
  await turns.take('x', forEver);
  const order: string[] = [];
  const takers = ['x1', 'x2', 'x3', 'y1', 'y2', 'z1'].map(async (name) => {
    await turns.take(name.charAt(0), forEver);
    order.push(name);
    turns.give();
  });
  turns.give();
  await Promise.all(takers);
  expect(order).toEqual(['x1', 'y1', 'z1', 'x2', 'y2', 'x3']);
});

test('holds nothing of those who left, however many they were', async () => {
  const turns = new Turns(1);
  await turns.take('x', forEver);
  for (let i = 0; i < 1000; i++) {
    const leaver = new AbortController();
    const taken = turns.take(`row ${i % 7}`, leaver.signal);
    leaver.abort();
    expect(await taken).toBe(false);
  }
  expect(turns.waiting).toBe(0);
  turns.give();
  expect(turns.isFree).toBe(true);
});

test('gives none to whoever has left already', async () => {
  const turns = new Turns(1);
  expect(await turns.take('x', AbortSignal.abort())).toBe(false);
  expect(turns.isFree).toBe(true);
});
