// The command line around a server whose behaviour is the text in FAKE_START and FAKE_STOP.
import { runCli } from '../../dist/server/cli/run-cli.js';
import { processTerminal } from '../../dist/server/cli/terminal.js';

const { FAKE_START = 'ok', FAKE_STOP = 'ok' } = process.env;
const never = new Promise(() => {});
// A promise alone keeps no process alive; a server's sockets do.
setInterval(() => {}, 1000);

const behaviours = {
  ok: async () => {},
  hang: () => never,
  throw: async () => {
    throw Object.assign(new Error('first line\nsecond redis://user:hidden@x'), { code: 'EFAKE' });
  },
  slow: () => new Promise((resolve) => setTimeout(resolve, 300)),
};

let stops = 0;
const server = {
  async start() {
    process.stdout.write('fake start\n');
    await behaviours[FAKE_START]();
    if (process.env.FAKE_FAULT === 'rejection') void Promise.reject(new Error('nobody caught this'));
    if (process.env.FAKE_FAULT === 'exception')
      setImmediate(() => {
        throw new Error('nobody caught this');
      });
    return { url: 'http://127.0.0.1:1' };
  },
  stop() {
    stops += 1;
    process.stdout.write(`fake stop ${stops}\n`);
    return behaviours[FAKE_STOP]();
  },
};

const code = await runCli(process.argv.slice(2), processTerminal, async () => () => server);
process.exit(code);
