import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import type { Edits } from './deploy-file.ts';
import type { Program } from './program.ts';
import type { Site } from './site.ts';

/** In the stage's folder; for a proxy that logs to a file. */
export const LOG_FILE = 'access.log';

/** Where a proxy of a test may write, and whom it serves. */
export interface Stage {
  readonly dir: string;
  readonly port: number;
  readonly certificate: Certificate;
  readonly site: Site;
  /** What a twin changes in the shipped file. */
  readonly edits: Edits;
}

/** A proxy with its file of examples/deploy. */
export interface ProxyKind {
  readonly name: string;
  /** Takes the stickiness away, so that polls are spread. */
  readonly withoutStickiness: Edits;
  run(stage: Stage): Program;
  /** Has it read its files anew, as after a certificate was renewed. Resolves when it has. */
  reload(program: Program, stage: Stage): Promise<void>;
}

/** A running proxy in front of a site. */
export class RunningProxy {
  readonly #kind: ProxyKind;
  readonly #stage: Stage;
  readonly #program: Program;

  private constructor(kind: ProxyKind, stage: Stage, program: Program) {
    this.#kind = kind;
    this.#stage = stage;
    this.#program = program;
  }

  static async start(kind: ProxyKind, site: Site, edits: Edits = {}): Promise<RunningProxy> {
    const dir = mkdtempSync(join(tmpdir(), 'yamabiko-proxy-'));
    const stage = { dir, port: await freePort(), certificate: makeCertificate(dir), site, edits };
    const proxy = new RunningProxy(kind, stage, kind.run(stage));
    await proxy.#program.listensOn(stage.port);
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#stage.port}`;
  }

  /** All that it has logged. */
  get log(): string {
    const file = join(this.#stage.dir, LOG_FILE);
    return this.#program.output + (existsSync(file) ? readFileSync(file, 'utf8') : '');
  }

  /** A client's machine: it connects from that address of this one, and trusts the certificate. */
  from(localAddress: string): Agent {
    return new Agent({ localAddress, ca: this.#stage.certificate.pem });
  }

  reload(): Promise<void> {
    return this.#kind.reload(this.#program, this.#stage);
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#stage.dir, { recursive: true, force: true });
  }
}
