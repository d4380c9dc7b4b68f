import { Child, SERVER_CPU } from './child.ts';

const SELF_REPORT = new URL('./self-report.js', import.meta.url).href;

export interface Report {
  /** User and system time so far. */
  readonly cpuMicroseconds: number;
  /** After a collection: what is held, not what lies around. */
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
}

/** A server under test. BENCH_NODE_ARGS is handed to Node, e.g. `--cpu-prof --cpu-prof-dir=/tmp/profiles`. */
export function startNodeProcess(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  heard = true,
): Child {
  const nodeArgs = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((arg) => arg !== '');
  const all = ['--expose-gc', `--import=${SELF_REPORT}`, ...nodeArgs, script, ...args];
  return new Child(SERVER_CPU, process.execPath, all, { NODE_ENV: 'production', ...env }, true, heard);
}

/** @param held whether to collect garbage before, for the memory's sake */
export async function report(child: Child, held = false): Promise<Report> {
  return (await child.ask(held ? 'collect' : 'report')) as Report;
}
