import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/yamabiko.ts';
import { deployFile } from './deploy-file.ts';
import { Program } from './program.ts';
import type { ProxyKind } from './proxy.ts';

export const haproxy: ProxyKind = {
  name: 'HAProxy',
  withoutStickiness: { 'balance source': 'balance roundrobin', 'hash-type consistent': '' },
  run({ dir, port, certificate, site, edits }) {
    const [node1, node2] = site.nodes;
    const conf = deployFile('haproxy.cfg', {
      '127.0.0.1:6001': `127.0.0.1:${node1.port}`,
      '127.0.0.1:6002': `127.0.0.1:${node2.port}`,
      '127.0.0.1:8000': `127.0.0.1:${site.laravel.port}`,
      'bind :443': `bind 127.0.0.1:${port}`,
      '/etc/haproxy/certs/www.example.com.pem': certificate.bothFile,
      'log /dev/log': 'log stdout format raw',
      // What an unprivileged test may have.
      'maxconn 40000': 'maxconn 200',
      ...edits,
    });
    writeFileSync(join(dir, 'haproxy.cfg'), conf);
    // With a master, as Debian's service runs it.
    return new Program('haproxy', ['-W', '-db', '-f', join(dir, 'haproxy.cfg')]);
  },
  async reload(program) {
    program.kill('SIGUSR2');
    await until(
      () => workersOf(program) === 2,
      () => `a new worker serves: ${program.output}`,
    );
  },
};

const workersOf = ({ output }: Program) => output.match(/New worker \(\d+\) forked/g)?.length ?? 0;
