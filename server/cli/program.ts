import { Command } from 'commander';
import { readVersion } from '../../config/version.ts';
import { renderConfig, renderConfigJson } from './config-command.ts';
import { type RunOptions, runDoctor } from './doctor/run-doctor.ts';
import { type MigrateOptions, migrate } from './migrate-command.ts';
import { listNodes, type NodesOptions } from './nodes-command.ts';
import { type PublishOptions, publish } from './publish-command.ts';
import { addConfigFlag, addSettingFlags, loadSettings } from './setting-flags.ts';
import { type BuildServer, start } from './start-command.ts';
import type { Terminal } from './terminal.ts';
import { mintToken, type TokenOptions } from './token-command.ts';
import { type WebhooksOptions, webhooks } from './webhooks-command.ts';

export interface ProgramInput {
  readonly terminal: Terminal;
  /** Loaded for `start` alone: the other commands need no server. */
  readonly loadServer: () => Promise<BuildServer>;
  /** Takes the exit code of a command that ran. */
  readonly exit: (code: number) => void;
}

const EXAMPLES = `
Examples:
  $ yamabiko start                                   a server on http://127.0.0.1:6001, demo at /demo
  $ yamabiko start --port 7000 --config prod.json
  $ yamabiko config                                  what is in force, and where it came from
  $ yamabiko token --id 1 --name Ada --channel chat:1
  $ yamabiko publish chat:1 '{"message":"hello","name":"Laravel"}'
  $ yamabiko publish private-orders.1 '{"id":7}' --event order.shipped

Settings come from the config file, .env, YAMABIKO_* variables and flags; later ones win.
Exit codes: 0 done, 1 could not be done, 2 wrong command, flag or setting.`;

/** The command line: what can be asked, and nothing of how it is done. */
export function createProgram({ terminal, loadServer, exit }: ProgramInput): Command {
  const program = new Command('yamabiko')
    .description("Realtime server for Laravel: Echo's Socket.IO protocol, JWT channels and plain WebSocket")
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help; `yamabiko <command> --help` tells more')
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('(yamabiko --help lists commands and flags)')
    .exitOverride()
    .addHelpText('after', EXAMPLES);
  program.commandsGroup('Serve:');
  addStart(program, { terminal, loadServer, exit });
  addConfig(program, terminal);
  program.commandsGroup('Move here:');
  addMigrate(program, terminal);
  addDoctor(program, { terminal, exit });
  program.commandsGroup('Try it:');
  addToken(program, terminal);
  addPublish(program, terminal);
  program.commandsGroup('Watch it:');
  addNodes(program, terminal);
  addWebhooks(program, terminal);
  program.commandsGroup('Help:').helpCommand('help [command]', 'print help for a command');
  return program;
}

function addStart(program: Command, { terminal, loadServer, exit }: ProgramInput): void {
  const command = program
    .command('start')
    .description('run the server in the foreground until SIGTERM or Ctrl-C');
  addSettingFlags(addConfigFlag(command)).action(async (options: Record<string, unknown>) => {
    const { config, warnings } = loadSettings(options, terminal);
    exit(await start(config, warnings, await loadServer(), terminal));
  });
}

function addConfig(program: Command, terminal: Terminal): void {
  const command = program
    .command('config')
    .description('print every setting in force and where it came from, secrets masked')
    .option('--json', 'as JSON, for programs');
  addSettingFlags(addConfigFlag(command)).action((options: Record<string, unknown>) => {
    const { config, origins, warnings } = loadSettings(options, terminal);
    terminal.out(options.json === true ? renderConfigJson(config, origins) : renderConfig(config, origins));
    for (const warning of warnings) terminal.err(`warning: ${warning}\n`);
  });
}

function addMigrate(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .description("write our config file from laravel-echo-server's, and say what became of each option")
    .argument('[file]', 'its config file', 'laravel-echo-server.json')
    .option('--out <file>', 'the file to write', 'yamabiko.config.json')
    .option('--force', 'overwrite it')
    .option('--dry-run', 'write nothing')
    .option('--json', 'as JSON, for programs')
    .action((file: string, options: MigrateOptions) => terminal.out(migrate(file, options, terminal)));
}

function addDoctor(program: Command, { terminal, exit }: Pick<ProgramInput, 'terminal' | 'exit'>): void {
  const command = program
    .command('doctor')
    .description('look for what people get wrong, and say the cure: Redis, prefix, Laravel, clocks, origins')
    .option('--listen <seconds>', 'how long to listen for events', '5')
    .option('--url <url>', 'the running server, as browsers reach it')
    .option('--laravel <folder>', "Laravel's, for its .env; default the working directory if it is one")
    .option('--app-url <url>', "the app's address, where its .env does not say it")
    .option('--token <jwt>', 'a token of Laravel to look at')
    .option('--strict', 'warnings too end with 1')
    .option('--json', 'as JSON, for programs');
  addConfigFlag(command).action(async (options: RunOptions) => exit(await runDoctor(options, terminal)));
}

function addWebhooks(program: Command, terminal: Terminal): void {
  const command = program
    .command('webhooks')
    .description('show what Laravel has not been told yet and what it refused for good, or tell it again')
    .option('--replay [id]', 'tell all refused events again, or one')
    .option('--url <url>', 'the running server')
    .option('--json', 'as JSON, for programs');
  addConfigFlag(command).action(async (options: WebhooksOptions) => {
    const { config } = loadSettings({ ...options }, terminal);
    terminal.out(await webhooks(options, config));
  });
}

function addToken(program: Command, terminal: Terminal): void {
  const command = program
    .command('token')
    .description('print a test JWT, signed with the configured secret')
    .requiredOption('--id <number>', 'user id, from 1')
    .requiredOption('--name <text>', 'name that others see')
    .requiredOption('--channel <name>', 'the one channel that it opens, such as chat:1')
    .option('--ttl <seconds>', 'how long it is good', '3600');
  addConfigFlag(command).action(async (options: TokenOptions) => {
    const { config } = loadSettings({ ...options }, terminal);
    terminal.out(`${await mintToken(options, config)}\n`);
  });
}

function addPublish(program: Command, terminal: Terminal): void {
  const command = program
    .command('publish')
    .description('send a test message as Laravel would: by Redis if it is configured, else by HTTP')
    .argument('<channel>', 'such as chat:1; with --event the wire name, such as private-orders.1')
    .argument('<data>', 'JSON object')
    .option('--event <name>', "Laravel event; without it a message to the channel's room")
    .option('--socket <id>', 'with --event: the connection to leave out, as toOthers() does')
    .option('--url <url>', 'send by HTTP to the server there');
  addConfigFlag(command).action(async (channel: string, data: string, options: PublishOptions) => {
    const { config } = loadSettings({ ...options }, terminal);
    terminal.out(`${await publish(channel, data, options, config)}\n`);
  });
}

function addNodes(program: Command, terminal: Terminal): void {
  const command = program
    .command('nodes')
    .description('list the living nodes: version, uptime, connections, channels, lag of the bus')
    .option('--url <url>', 'ask the server there')
    .option('--json', 'as JSON, for programs');
  addConfigFlag(command).action(async (options: NodesOptions) => {
    const { config } = loadSettings({ ...options }, terminal);
    terminal.out(await listNodes(options, config));
  });
}
