import Echo2 from 'laravel-echo';
import Echo1 from 'laravel-echo-v1';
import { afterEach } from 'vitest';
import {
  type ConnectionStatus,
  YamabikoConnector,
  type YamabikoEcho,
  type YamabikoOptions,
} from '../../../echo-connector/src/index.ts';
import { Inbox } from './inbox.ts';
import { ScriptedServer } from './scripted-server.ts';

type OpenEcho = (options: YamabikoOptions) => YamabikoEcho;

const quick = {
  broadcaster: YamabikoConnector,
  reconnectionDelay: 20,
  reconnectionDelayMax: 50,
  retryDelayMs: 30,
  retryDelayMaxMs: 60,
};

const closings: Array<() => unknown> = [];

afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

/** Runs when the test is over, the last one first. */
export function atEnd(close: () => unknown): void {
  closings.push(close);
}

function closingAfterwards(echo: YamabikoEcho): YamabikoEcho {
  atEnd(() => echo.disconnect());
  return echo;
}

/** laravel-echo 2.5 with the connector, quick to try again. */
export const openEcho: OpenEcho = (options) =>
  closingAfterwards(new Echo2<'function'>({ ...quick, ...options } as never));

/** laravel-echo 1.16 with the connector. */
const openEcho1: OpenEcho = (options) => {
  // Its CommonJS build is typed as if the default export were the module.
  const Echo = ((Echo1 as { default?: unknown }).default ?? Echo1) as new (options: object) => YamabikoEcho;
  return closingAfterwards(new Echo({ ...quick, ...options }));
};

export const bothEchos: Array<[name: string, open: OpenEcho]> = [
  ['laravel-echo 2.5', openEcho],
  ['laravel-echo 1.16', openEcho1],
];

export async function startServer(port?: number): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(port);
  atEnd(() => server.stop());
  return server;
}

/** The states that a connection goes through, from now on. */
export function watchStatus(echo: YamabikoEcho): Inbox<ConnectionStatus> {
  const states = new Inbox<ConnectionStatus>();
  echo.connector.onConnectionChange((status) => states.put(status));
  return states;
}

/** A callback that keeps what it was called with. */
export function recorder<Value>(): { call: (value: Value) => void; inbox: Inbox<Value> } {
  const inbox = new Inbox<Value>();
  return { call: (value) => inbox.put(value), inbox };
}
