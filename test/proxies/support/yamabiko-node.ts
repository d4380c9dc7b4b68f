import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/yamabiko.ts';
import { Program } from './program.ts';

const BINARY = fileURLToPath(new URL('../../../dist/server/main.js', import.meta.url));

/** A built server behind a proxy: it keeps its port when it is started again. */
export class YamabikoNode {
  readonly port: number;
  readonly #env: Readonly<Record<string, string>>;
  #program: Program;

  private constructor(port: number, env: Readonly<Record<string, string>>) {
    this.port = port;
    this.#env = env;
    this.#program = this.#start();
  }

  /** Resolves when it is ready. @param env settings, as `YAMABIKO_*` */
  static async start(env: Readonly<Record<string, string>>): Promise<YamabikoNode> {
    const node = new YamabikoNode(await freePort(), env);
    try {
      await node.ready();
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  /** Two at once; where one fails, the other is not left behind. */
  static async startTwo(
    env: Readonly<Record<string, string>>,
  ): Promise<readonly [YamabikoNode, YamabikoNode]> {
    const starts = [YamabikoNode.start(env), YamabikoNode.start(env)] as const;
    try {
      return await Promise.all(starts);
    } catch (error) {
      for (const start of await Promise.allSettled(starts))
        if (start.status === 'fulfilled') await start.value.stop();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** All that it has written. */
  get output(): string {
    return this.#program.output;
  }

  async ready(): Promise<void> {
    await this.#program.listensOn(this.port);
    await until(async () => (await fetch(`${this.url}/health/ready`)).ok, 'the node is ready', 20_000);
  }

  /** SIGTERM, as a deployment sends it. @returns the exit code */
  stop(): Promise<number | null> {
    return this.#program.stop();
  }

  /** On the same port, as a new version would be. */
  async startAgain(): Promise<void> {
    this.#program = this.#start();
    await this.ready();
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.url}/metrics`)).text();
  }

  /** Connections of all protocols that it holds. */
  async connections(): Promise<number> {
    const counts = (await this.metrics()).matchAll(/^yamabiko_connections\{.*\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  #start(): Program {
    return new Program(process.execPath, [BINARY, 'start'], {
      NODE_ENV: 'production',
      YAMABIKO_HOST: '127.0.0.1',
      YAMABIKO_PORT: String(this.port),
      ...this.#env,
    });
  }
}
