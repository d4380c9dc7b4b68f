import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { certificateEndsAtMs, certificateFault } from '../server/domain/certificate.ts';
import { showText } from './kinds.ts';
import type { Mistake } from './mistake.ts';
import type { RawConfig } from './settings.ts';

interface Place {
  /** Relative paths start here. */
  readonly cwd: string;
  readonly nameOf: (path: string) => string;
}

type ServerValues = RawConfig['server'];
const FILES = { tlsCert: 'cert', tlsKey: 'key', tlsChain: 'chain' } as const;
const NAMES = { cert: 'tlsCert', key: 'tlsKey', chain: 'tlsChain', passphrase: 'tlsPassphrase' } as const;

export interface ServerTls {
  /** With whole paths: the files are read again later, whatever the working directory is then. */
  readonly server: ServerValues;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly string[];
}

/** Reads the files once, so that a wrong one is told at the start and not by each browser. */
export function withServerTls(server: ServerValues, { cwd, nameOf }: Place): ServerTls {
  const mistakes: Mistake[] = [];
  const wrong = (name: keyof ServerValues, problem: string, value: string | null = null) =>
    mistakes.push({ setting: nameOf(`server.${name}`), value, problem });
  const paths: { -readonly [K in keyof typeof FILES]?: string } = {};
  const texts: { -readonly [K in (typeof FILES)[keyof typeof FILES]]?: string } = {};
  for (const [name, part] of Object.entries(FILES) as [keyof typeof FILES, 'cert' | 'key' | 'chain'][]) {
    const given = server[name];
    if (given === null) continue;
    paths[name] = resolve(cwd, given);
    try {
      texts[part] = readFileSync(resolve(cwd, given), 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const shown = given.includes('-----') ? '(PEM text)' : showText(given);
      wrong(name, `cannot be read (${code}): must be the path of a PEM file`, shown);
    }
  }
  for (const { name, problem } of missingParts(server)) wrong(name, problem);
  const { cert, key, chain } = texts;
  const warnings: string[] = [];
  if (mistakes.length === 0 && cert !== undefined && key !== undefined) {
    const fault = certificateFault({ cert, key, chain: chain ?? null, passphrase: server.tlsPassphrase });
    const name = fault && NAMES[fault.of];
    if (fault !== null && name !== null)
      wrong(name, fault.problem, name === 'tlsPassphrase' ? null : showText(server[name]));
    else if (certificateEndsAtMs(cert) < Date.now())
      warnings.push(
        `${nameOf('server.tlsCert')}: the certificate ended on ${dateOf(cert)}; browsers will refuse it`,
      );
  }
  return { server: { ...server, ...paths }, mistakes, warnings };
}

function missingParts({ tlsCert, tlsKey, tlsChain, tlsPassphrase }: ServerValues) {
  const missing: { readonly name: keyof ServerValues; readonly problem: string }[] = [];
  if (tlsCert !== null && tlsKey === null)
    missing.push({
      name: 'tlsKey',
      problem: 'must be set too: a certificate (tlsCert) is nothing without its key',
    });
  const alone =
    tlsKey !== null ? 'key' : tlsChain !== null ? 'chain' : tlsPassphrase !== null ? 'passphrase' : '';
  if (tlsCert === null && alone !== '')
    missing.push({
      name: 'tlsCert',
      problem: `must be set too: a ${alone} is nothing without a certificate`,
    });
  return missing;
}

function dateOf(cert: string): string {
  return new Date(certificateEndsAtMs(cert)).toISOString().slice(0, 10);
}
