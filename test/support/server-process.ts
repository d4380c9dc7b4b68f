import { Running, SECRET } from '../cli/binary.ts';
import { until } from './yamabiko.ts';

/** The built server as an operator runs it: signals, exit code and output are what they are there. */
export class ServerProcess extends Running {
  url = '';

  /** @param env settings, as `YAMABIKO_*`; the log is JSON, and a JWT secret is set */
  constructor(env: Readonly<Record<string, string>> = {}) {
    super(['start'], {
      env: {
        YAMABIKO_HOST: '127.0.0.1',
        YAMABIKO_PORT: '0',
        YAMABIKO_JWT_SECRET: SECRET,
        YAMABIKO_LOG_FORMAT: 'json',
        ...env,
      },
    });
  }

  /** Resolves when it listens, ready or not. */
  static async listening(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const server = new ServerProcess(env);
    server.url = (await server.says(/"url":"(http:[^"]+)"/))[1] ?? '';
    return server;
  }

  static async ready(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const server = await ServerProcess.listening(env);
    await server.answersReady(200);
    return server;
  }

  /** Resolves when `/health/ready` answers with that status. */
  answersReady(status: 200 | 503): Promise<void> {
    return until(async () => (await fetch(`${this.url}/health/ready`)).status === status, `ready: ${status}`);
  }

  /** The lines of the log so far. */
  lines(): readonly { readonly level: string; readonly msg: string; readonly [field: string]: unknown }[] {
    return this.stdout
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line));
  }
}
