import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { allSettings } from '../../config/settings.ts';
import { deployFile } from './support/deploy-file.ts';

/** What a stop may take: the drain's default, and 5 s after which it is given up. */
const STOP_SECONDS =
  Number(allSettings.find(({ path }) => path === 'server.drainMs')?.setting.default) / 1000 + 5;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** How every file starts the server: node itself, so that signals reach it. */
const COMMAND = ['node', 'dist/server/main.js', 'start'];

/** Sections of an INI file, later values of a key last. */
function sections(ini: string): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  let section: Record<string, string> = {};
  for (const line of ini.split('\n').filter((l) => !/^\s*([#;].*)?$/.test(l))) {
    const [, name] = /^\[(.+)\]$/.exec(line) ?? [];
    const [, key, value] = /^(\S+?)=(.*)$/.exec(line) ?? [];
    if (name === undefined && key === undefined) throw new Error(`neither section nor setting: ${line}`);
    if (name !== undefined) section = found[name] = {};
    else if (key !== undefined) section[key] = value ?? '';
  }
  return found;
}

describe('the systemd unit', () => {
  const unit = sections(deployFile('yamabiko@.service'));

  it('lets SIGTERM reach node, and waits for the drain', () => {
    expect(unit.Service?.ExecStart).toBe(`/usr/bin/${COMMAND.join(' ')}`);
    expect(unit.Service?.KillSignal).toBe('SIGTERM');
    expect(Number(unit.Service?.TimeoutStopSec)).toBeGreaterThan(STOP_SECONDS);
  });

  it.skipIf(!existsSync('/usr/bin/systemd-analyze'))('is one that systemd takes', () => {
    const dir = mkdtempSync(join(tmpdir(), 'yamabiko-unit-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const verify = (text: string) => {
      const file = join(dir, 'yamabiko@6001.service');
      writeFileSync(file, text);
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
      return { status, stderr };
    };
    const here = deployFile('yamabiko@.service', {
      '/usr/bin/node': process.execPath,
      '/srv/yamabiko\n': `${ROOT}\n`,
    });
    expect(verify(here)).toEqual({ status: 0, stderr: '' });
    expect(verify(here.replace('LimitNOFILE', 'LimitFiles')).stderr).toContain('LimitFiles');
  });
});

it("Supervisor's program lets SIGTERM reach node, and waits for the drain", () => {
  const program = sections(deployFile('supervisor.conf'))['program:yamabiko'];
  expect(program?.command).toBe(`/usr/bin/${COMMAND.join(' ')} --port %(process_num)d`);
  expect(program?.stopsignal).toBe('TERM');
  expect(Number(program?.stopwaitsecs)).toBeGreaterThan(STOP_SECONDS);
});

describe('the Dockerfile', () => {
  const steps = deployFile('Dockerfile')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => /^([A-Z]+) +(.*)$/.exec(line))
    .filter((step) => step !== null)
    .map(([, instruction = '', argument = '']) => ({ instruction, argument }));
  const last = (instruction: string) => steps.findLast((step) => step.instruction === instruction)?.argument;

  it('runs node without a shell and not as root', () => {
    expect(JSON.parse(last('CMD') ?? '')).toEqual(COMMAND);
    expect(last('USER')).toBe('node');
    expect(last('STOPSIGNAL')).toBe('SIGTERM');
    expect(steps.filter(({ instruction }) => instruction === 'FROM').map(({ argument }) => argument)).toEqual(
      ['node:20-slim AS build', 'node:20-slim'],
    );
  });

  it('is given every file that the build needs', () => {
    const given =
      deployFile('Dockerfile.dockerignore')
        .match(/^!.+$/gm)
        ?.map((line) => line.slice(1)) ?? [];
    expect(given).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'server', 'config']));
    expect(given.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

it('the compose file waits for the drain and publishes to this machine only', () => {
  const { services } = parse(deployFile('compose.yaml'));
  expect(Number.parseInt(services.yamabiko.stop_grace_period, 10)).toBeGreaterThan(STOP_SECONDS);
  expect(services.yamabiko.build.dockerfile).toBe('examples/deploy/Dockerfile');
  expect(services.yamabiko.ports).toEqual(['127.0.0.1:6001:6001']);
  expect(services.yamabiko.environment.YAMABIKO_REDIS_URL).toBe('redis://redis:6379');
  expect(Object.keys(services)).toContain('redis');
});

describe('the Kubernetes file', () => {
  const documents = parseAllDocuments(deployFile('kubernetes.yaml'));
  const ofKind = (kind: string) => documents.map((document) => document.toJS()).find((o) => o.kind === kind);
  const pod = ofKind('Deployment').spec.template;
  const [container] = pod.spec.containers;

  it('is YAML without a fault', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
  });

  it('asks whether it is ready before it sends clients, and restarts only what does not answer', () => {
    expect(container.readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'http' });
    expect(container.livenessProbe.httpGet).toEqual({ path: '/health/live', port: 'http' });
  });

  it('waits for the preStop and the drain', () => {
    const preStopSeconds = Number(container.lifecycle.preStop.exec.command[1]);
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(preStopSeconds + STOP_SECONDS);
  });

  it('fits together', () => {
    const { labels } = pod.metadata;
    for (const selector of [
      ofKind('Deployment').spec.selector.matchLabels,
      ofKind('Service').spec.selector,
      ofKind('PodDisruptionBudget').spec.selector.matchLabels,
    ])
      expect(labels).toMatchObject(selector);
    const [port] = ofKind('Service').spec.ports;
    expect(container.ports).toContainEqual({ name: port.targetPort, containerPort: 6001 });
    const paths = ofKind('Ingress').spec.rules[0].http.paths as {
      path: string;
      backend: { service: object };
    }[];
    expect(paths.map(({ path }) => path)).toEqual(['/socket.io/', '/ws']);
    for (const { backend } of paths)
      expect(backend.service).toEqual({ name: ofKind('Service').metadata.name, port: { name: port.name } });
  });
});
