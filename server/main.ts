#!/usr/bin/env node
import { runCli } from './cli/run-cli.ts';
import { processTerminal } from './cli/terminal.ts';

const code = await runCli(process.argv.slice(2), processTerminal, async () => {
  const { buildServer } = await import('./server.ts');
  return buildServer;
});
// Not left to the event loop: a socket that lingers must not keep a stopped server alive.
process.exit(code);
