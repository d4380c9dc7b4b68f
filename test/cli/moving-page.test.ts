import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { oldOptions } from '../../config/laravel-echo-server/option-table.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { emptyFolder, Running, run } from './binary.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/moving.md', import.meta.url)), 'utf8');

/** The commands of the page's `sh` blocks, in its order. */
const commands = [...page.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

it('the commands of docs/moving.md do what it says, one after the other in one folder', async () => {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  const cwd = emptyFolder();
  const old = { host: '127.0.0.1', port: await freePort(), databaseConfig: { redis: { port: redis.port } } };
  writeFileSync(join(cwd, 'laravel-echo-server.json'), JSON.stringify(old));
  expect(commands).toHaveLength(4);
  for (const command of commands) {
    const [program, name, ...args] = command.split(' ');
    expect(program).toBe('yamabiko');
    // The page's own port may be taken on this machine.
    const own = args.map((arg) => (arg === '6002' ? '0' : arg));
    if (name === 'start') {
      const server = new Running(['start', ...own, '--log-format', 'json'], { cwd });
      await server.says(/"url":"(http:[^"]+)"/);
      server.kill('SIGTERM');
      expect(await server.ended).toMatchObject({ code: 0 });
    } else {
      // No Laravel answers in this test, which the doctor must find.
      const { code, stdout } = await run([name ?? '', ...own], { cwd });
      expect([code, stdout]).toEqual(
        name === 'doctor'
          ? [1, expect.stringMatching(/^fault +laravel +http:\/\/localhost/m)]
          : [0, expect.stringContaining('-> yamabiko.config.json')],
      );
    }
  }
});

it('the options that it names are options of laravel-echo-server', () => {
  const paths = oldOptions.flatMap(({ path }) => [path, path.split('.').at(-1)]);
  const named = ['authHost', 'keyPrefix', 'sslCertPath', 'publishPresence', 'apiOriginAllow', 'headers'];
  for (const name of named) {
    expect(page).toContain(`\`${name}\``);
    expect(paths.some((path) => path === name || path?.startsWith(`${name}.`))).toBe(true);
  }
});
