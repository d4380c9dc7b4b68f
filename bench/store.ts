import { Child, freePort, GENERATOR_CPU } from './child.ts';

/** A Redis of the bench's own, beside the generator, that keeps nothing. */
export async function startRedis(): Promise<{ child: Child; url: string }> {
  const port = await freePort();
  const where = ['--port', String(port), '--bind', '127.0.0.1'];
  const child = new Child(GENERATOR_CPU, 'redis-server', [...where, '--save', '', '--appendonly', 'no']);
  await child.line(/Ready to accept connections/);
  return { child, url: `redis://127.0.0.1:${port}` };
}
