import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { RedisServer } from '../support/redis-server.ts';
import type { ClusterNode } from './cluster-node.ts';

const LOOK_MS = 400;
const WRITES = /127\.0\.0\.1:(\d+)\] "evalsha"/i;

/** The node that writes the log now, as Redis sees it; null where nobody writes, or it cannot be told. */
export async function whoWrites(
  redis: RedisServer,
  prefix: string,
  nodes: readonly ClusterNode[],
): Promise<ClusterNode | null> {
  // By hand: ioredis takes MONITOR's lines for answers where they come together with them.
  const monitor = connect(redis.port, '127.0.0.1').on('error', () => {});
  try {
    const port = await new Promise<number | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), LOOK_MS);
      createInterface({ input: monitor }).on('line', (line) => {
        const writer = WRITES.exec(line);
        if (writer === null || !line.includes(`"${prefix}yamabiko:{home}:log:head"`)) return;
        clearTimeout(timer);
        resolve(Number(writer[1]));
      });
      monitor.write('MONITOR\r\n');
    });
    return port === null ? null : (nodes.find(({ pid }) => holdsPort(pid, port)) ?? null);
  } finally {
    monitor.destroy();
  }
}

/** Whether that process has a TCP connection from that port (Linux). */
function holdsPort(pid: number, port: number): boolean {
  try {
    const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
    const inodes = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local]) => local?.endsWith(`:${hexPort}`))
      .map((fields) => `socket:[${fields[9]}]`);
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => inodes.includes(linkOf(`${folder}/${fd}`)));
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
