import { Redis } from 'ioredis';
import type { Child } from './child.ts';
import { type LaravelStub, startLaravelStub } from './laravel-stub.ts';
import { startRedis } from './store.ts';
import type { Target } from './targets/target.ts';

/** A server under test and all around it. */
export interface Stage {
  readonly child: Child;
  readonly port: number;
  readonly redis: Redis;
  readonly laravel: LaravelStub;
}

/** Starts a target with a Redis of its own, so that nothing is left of those before, until `run` has ended. */
export async function withServer(target: Target, run: (stage: Stage) => Promise<void>): Promise<void> {
  const store = await startRedis();
  const laravel = await startLaravelStub();
  const redis = new Redis(store.url);
  try {
    const { child, port } = await target.start({ redisUrl: store.url, authUrl: laravel.url });
    try {
      await run({ child, port, redis, laravel });
    } finally {
      await child.stop();
    }
  } finally {
    redis.disconnect();
    laravel.stop();
    await store.child.stop();
  }
}

/** User and system time of Redis so far, in microseconds. */
export async function redisCpuMicroseconds(redis: Redis): Promise<number> {
  const cpu = await redis.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(cpu)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1_000_000;
}
