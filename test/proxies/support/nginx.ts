import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/yamabiko.ts';
import { deployFile } from './deploy-file.ts';
import { Program } from './program.ts';
import { LOG_FILE, type ProxyKind } from './proxy.ts';

/** What stands around the shipped file in Debian's nginx.conf; all that is written stays in the test's folder. */
export function mainFile(dir: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(dir, name)};`,
  );
  return [
    // Workers of root would become `nobody`, who cannot enter the folder.
    process.getuid?.() === 0 ? 'user root;' : '',
    'daemon off;',
    'worker_processes 2;',
    `pid ${join(dir, 'nginx.pid')};`,
    'error_log stderr notice;',
    'events { worker_connections 512; }',
    `http { access_log off; ${temporary.join(' ')} include ${join(dir, 'yamabiko.conf')}; }`,
  ].join('\n');
}

export const nginx: ProxyKind = {
  name: 'nginx',
  withoutStickiness: { 'hash $remote_addr consistent;': '' },
  run({ dir, port, certificate, site, edits }) {
    const [node1, node2] = site.nodes;
    const conf = deployFile('nginx.conf', {
      '127.0.0.1:6001': `127.0.0.1:${node1.port}`,
      '127.0.0.1:6002': `127.0.0.1:${node2.port}`,
      '127.0.0.1:8000': `127.0.0.1:${site.laravel.port}`,
      'listen 443': `listen 127.0.0.1:${port}`,
      '/etc/ssl/www.example.com/fullchain.pem': certificate.certFile,
      '/etc/ssl/www.example.com/privkey.pem': certificate.keyFile,
      '/var/log/nginx/yamabiko.log': join(dir, LOG_FILE),
      ...edits,
    });
    writeFileSync(join(dir, 'yamabiko.conf'), conf);
    writeFileSync(join(dir, 'nginx.conf'), mainFile(dir));
    return new Program('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr']);
  },
  async reload(program) {
    program.kill('SIGHUP');
    await until(() => program.output.includes('gracefully shutting down'), 'old workers take no more');
  },
};
