/**
 * Which folder may import which: domain <- parts <- flows <- protocols, http <- server.ts <- main.ts. Held by
 * test/architecture; `npm run imports` asks it alone.
 */

/** The parts: one responsibility each, and none knows another. */
const PARTS = 'connection|access|channels|hub|broker|webhooks';

/** Ours, wherever it lies; what is outside of it is a library or Node itself. */
const OURS = '^(server|config|echo-connector|bench|test|examples)/';

/** Written for the browser and built apart: not bound by the server's directions. */
const BROWSER = '^server/pages/[^/]+/browser/';

/** Each third-party library has one home: what must be changed when it moves is seen at a glance. */
const HOMES = [
  { library: 'ioredis', homes: ['^server/broker/', '^server/cli/'] },
  { library: 'jose', homes: ['^server/access/'] },
  { library: 'undici', homes: ['^server/access/', '^server/webhooks/'] },
  { library: 'pino|pino-pretty', homes: ['^server/logger/'] },
  { library: 'prom-client', homes: ['^server/metrics/'] },
  // Engine.IO is handed the same one: the older one beneath it lacks bounds.
  { library: 'ws', homes: ['^server/protocols/raw/', '^server/protocols/echo/echo-protocol\\.ts$'] },
  { library: 'socket\\.io|@socket\\.io/redis-adapter|engine\\.io', homes: ['^server/protocols/echo/'] },
  { library: 'express', homes: ['^server/http/', '^server/protocols/[^/]+/http', '^server/pages/'] },
  { library: 'zod', homes: ['^config/', '^server/channels/'] },
  { library: 'commander', homes: ['^server/cli/', '^server/main\\.ts$'] },
  { library: 'dotenv', homes: ['^config/', '^server/cli/', '^server/main\\.ts$'] },
];

/** From one folder to anything of ours but what is listed. */
function only(name, comment, from, allowed) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from, pathNot: BROWSER },
    to: { path: OURS, pathNot: allowed },
  };
}

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'Two files that need each other are one file, or lack a third. Types alone may: they load nothing.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      comment: 'An import that resolves to nothing escapes every other rule.',
      severity: 'error',
      from: { pathNot: BROWSER },
      to: { couldNotResolve: true },
    },
    {
      name: 'domain-imports-nothing',
      comment: 'The words of the house stand on nothing: no part, no library, nothing of Node that does I/O.',
      severity: 'error',
      from: { path: '^server/domain/' },
      to: { pathNot: ['^server/domain/', '^(node:)?crypto$'] },
    },
    only(
      'parts-know-only-domain',
      'A part answers with facts and knows no other part; the flow decides.',
      `^server/(${PARTS})/`,
      ['^server/domain/', '^server/$1/'],
    ),
    only(
      'logger-and-metrics-know-only-domain',
      'They are handed in; what a part needs of them it declares itself.',
      '^server/(logger|metrics)/',
      ['^server/domain/', '^server/$1/'],
    ),
    only(
      'flows-know-domain-and-parts',
      'A flow calls parts; no protocol, no HTTP, no settings.',
      '^server/flows/',
      ['^server/domain/', `^server/(${PARTS})/`, '^server/flows/'],
    ),
    only(
      'protocols-know-domain-and-flows',
      'A protocol turns bytes into calls of flows. It never knows another: a new protocol is a new folder.',
      '^server/protocols/([^/]+)/',
      ['^server/domain/', '^server/flows/', `^server/(${PARTS})/`, '^server/protocols/$1/'],
    ),
    {
      name: 'protocols-know-parts-by-type-only',
      comment:
        'What a protocol wants of a part it asks a flow for; only the state of its own connections it makes itself.',
      severity: 'error',
      from: { path: '^server/protocols/' },
      to: { path: `^server/(${PARTS})/`, pathNot: '^server/connection/', dependencyTypesNot: ['type-only'] },
    },
    only('http-knows-no-protocol', 'It mounts what is handed in.', '^server/http/', [
      '^server/domain/',
      '^server/flows/',
      `^server/(${PARTS})/`,
      '^server/http/',
    ]),
    {
      name: 'http-knows-parts-by-type-only',
      severity: 'error',
      from: { path: '^server/http/' },
      to: { path: `^server/(${PARTS})/`, dependencyTypesNot: ['type-only'] },
    },
    only('pages-know-only-domain-and-flows', 'What a browser is served.', '^server/pages/', [
      '^server/domain/',
      '^server/flows/',
      '^server/pages/',
    ]),
    only(
      'config-knows-only-domain',
      'The table of settings stands beside the server, not on it.',
      '^config/',
      ['^config/', '^server/domain/'],
    ),
    only(
      'only-server-imports-all',
      'server.ts alone wires. Commands start it, read settings, sign a test token, publish to Redis: no more.',
      '^server/(main\\.ts|cli/)',
      ['^server/(main|server)\\.ts$', '^server/(cli|domain|logger|access|broker)/', '^config/'],
    ),
    {
      name: 'nobody-imports-server',
      comment: 'The last in the row; who needs something of it wants it handed in.',
      severity: 'error',
      from: { path: '^(server|config)/', pathNot: '^server/(main\\.ts$|cli/)' },
      to: { path: '^server/(main|server)\\.ts$|^server/cli/' },
    },
    only('server-knows-no-test', 'What is shipped needs nothing that is not.', '^server/[^/]+\\.ts$', [
      '^server/',
      '^config/',
    ]),
    only(
      'connector-stands-alone',
      'A package of its own: its wire.ts is the one crossing.',
      '^echo-connector/',
      ['^echo-connector/'],
    ),
    ...HOMES.map(({ library, homes }) => ({
      name: `${library.split('|')[0].replaceAll('\\', '')}-has-one-home`,
      comment: `Only in ${homes.join(', ')}.`,
      severity: 'error',
      from: { path: '^(server|config)/', pathNot: [...homes, BROWSER] },
      to: { path: `node_modules/(@types/)?(${library})/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(echo-connector/)?dist/' },
    // Types count: a folder that knows another's types knows the other.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // Without it `import type {Router} from 'express'` resolves to nothing.
    enhancedResolveOptions: {
      conditionNames: ['import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
