import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { EchoClient } from '../support/echo-client.ts';
import { freePort } from '../support/free-port.ts';
import { mintToken, TEST_SECRET } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/yamabiko.ts';
import { codeBlocks } from '../unit/docs/markdown.ts';
import { mainFile } from './support/nginx.ts';
import { Program } from './support/program.ts';
import { YamabikoNode } from './support/yamabiko-node.ts';

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

it('what the README has for nginx lets polling, its upgrade and /ws through to one node', async () => {
  const [locations = '', included = ''] = codeBlocks(readme, 'nginx').map(({ code }) => code);
  expect(locations).toContain('127.0.0.1:6001');
  expect(included).toContain('# yamabiko.conf');
  const node = await YamabikoNode.start({ YAMABIKO_JWT_SECRET: TEST_SECRET });
  onTestFinished(async () => void (await node.stop()));
  const dir = mkdtempSync(join(tmpdir(), 'yamabiko-readme-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const port = await freePort();
  const server = locations
    .replaceAll('127.0.0.1:6001', `127.0.0.1:${node.port}`)
    .replaceAll('include yamabiko.conf', `include ${join(dir, 'included.conf')}`);
  writeFileSync(join(dir, 'included.conf'), included);
  writeFileSync(join(dir, 'yamabiko.conf'), `server { listen 127.0.0.1:${port}; ${server} }`);
  writeFileSync(join(dir, 'nginx.conf'), mainFile(dir));
  const nginx = new Program('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr']);
  onTestFinished(async () => void (await nginx.stop()));
  await nginx.listensOn(port);

  const url = `http://127.0.0.1:${port}`;
  const echo = await EchoClient.open({ url, transports: ['polling', 'websocket'] });
  onTestFinished(() => echo.close());
  echo.channel('news');
  expect(await echo.settled('news')).toMatchObject({ ok: true });
  await until(() => echo.socket.io.engine.transport.name === 'websocket', 'it speaks by WebSocket');
  const raw = await RawClient.join({ url, path: '/ws', token: mintToken({ channel: 'chat:readme' }) });
  await raw.close();
});
