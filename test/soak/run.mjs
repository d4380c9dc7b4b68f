/** `npm run soak`: runs run.ts as the tests do, without a build of its own. */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('./run.ts', import.meta.url)), {
  configFile: false,
  logLevel: 'warn',
});
// Sockets of clients that gave up may linger; nothing of it matters any more.
process.exit(await module.main(process.argv.slice(2)));
