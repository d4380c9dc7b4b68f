import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deployFile } from './deploy-file.ts';
import { Program } from './program.ts';
import type { ProxyKind } from './proxy.ts';

const adminOf = (dir: string) => `unix/${join(dir, 'admin.sock')}`;

/**
 * No door for administrators and no port 80, which other tests or their machine may have. By default it waits at
 * its end for polls, which take as long as a ping interval.
 */
const globalOptions = (dir: string) =>
  `{\n\tadmin ${adminOf(dir)}\n\tauto_https disable_redirects\n\tgrace_period 1s\n}\n`;

const environment = (dir: string) => ({ HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir });
const configOf = (dir: string) => ['--adapter', 'caddyfile', '--config', join(dir, 'Caddyfile')];

export const caddy: ProxyKind = {
  name: 'Caddy',
  withoutStickiness: { 'lb_policy ip_hash': 'lb_policy round_robin' },
  run({ dir, port, certificate, site, edits }) {
    const [node1, node2] = site.nodes;
    const conf = deployFile('Caddyfile', {
      '127.0.0.1:6001': `127.0.0.1:${node1.port}`,
      '127.0.0.1:6002': `127.0.0.1:${node2.port}`,
      '127.0.0.1:8000': `127.0.0.1:${site.laravel.port}`,
      'www.example.com {': `https://127.0.0.1:${port} {`,
      '# tls /etc/ssl/www.example.com/fullchain.pem /etc/ssl/www.example.com/privkey.pem': `tls ${certificate.certFile} ${certificate.keyFile}`,
      ...edits,
    });
    writeFileSync(join(dir, 'Caddyfile'), globalOptions(dir) + conf);
    return new Program('caddy', ['run', ...configOf(dir)], environment(dir));
  },
  async reload(_program, { dir }) {
    // Forced, since nothing has changed.
    const args = ['reload', '--force', '--address', adminOf(dir), ...configOf(dir)];
    const reload = new Program('caddy', args, environment(dir));
    if ((await reload.ended) !== 0) throw new Error(`caddy reload failed:\n${reload.output}`);
  },
};
