import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';

/** As the port mounts it, before the protocol, whose path it stands below. */
export interface ClientScript {
  readonly name: string;
  matches(pathname: string): boolean;
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex): void;
}

interface Served {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

const FOLDER = '/socket.io/';
/**
 * Old pages name one file, `/socket.io/socket.io.js`, whichever version stands behind it. The others are what Socket.IO
 * serves beside it. Version 4 is in the server's own package; 2 in its client's, which no code of ours loads.
 */
const VERSIONS = {
  '4': {
    home: 'socket.io/package.json',
    folder: 'client-dist',
    files: {
      'socket.io.js': 'socket.io.min.js',
      'socket.io.min.js': 'socket.io.min.js',
      'socket.io.min.js.map': 'socket.io.min.js.map',
      'socket.io.esm.min.js': 'socket.io.esm.min.js',
      'socket.io.esm.min.js.map': 'socket.io.esm.min.js.map',
    },
  },
  '2': {
    home: 'socket.io-client-v2/package.json',
    folder: 'dist',
    files: {
      'socket.io.js': 'socket.io.js',
      'socket.io.js.map': 'socket.io.js.map',
      'socket.io.slim.js': 'socket.io.slim.js',
      'socket.io.slim.js.map': 'socket.io.slim.js.map',
    },
  },
} as const;

/** An hour without asking; then the tag tells whether it is still the same. */
const CACHE_CONTROL = 'public, max-age=3600';

/** @returns none for `off` @throws where the package that holds the version is not installed */
export function clientScripts(version: '4' | '2' | 'off'): readonly ClientScript[] {
  return version === 'off' ? [] : [createClientScript(version)];
}

function createClientScript(version: '4' | '2'): ClientScript {
  const { home, folder, files } = VERSIONS[version];
  const base = join(dirname(createRequire(import.meta.url).resolve(home)), folder);
  const names: ReadonlyMap<string, string> = new Map(
    Object.entries(files).map(([name, file]) => [`${FOLDER}${name}`, join(base, file)]),
  );
  const main = `${FOLDER}socket.io.js`;
  // Whether the one that pages load is there must be known at the start. The others are read when asked for.
  const held = new Map([[main, readServed(names.get(main) ?? '')]]);
  const served = (path: string): Served => {
    const file = held.get(path) ?? readServed(names.get(path) ?? '');
    held.set(path, file);
    return file;
  };
  return {
    name: 'client-script',
    matches: (pathname) => names.has(pathname),
    handleRequest: (request, response) => answer(request, response, served(pathOf(request))),
    handleUpgrade: (_request, socket) =>
      void socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n'),
  };
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function readServed(file: string): Served {
  const plain = readFileSync(file);
  return {
    type: file.endsWith('.map') ? 'application/json' : 'text/javascript; charset=utf-8',
    plain,
    gzipped: gzipSync(plain, { level: 9 }),
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { type, plain, gzipped, etag }: Served,
): void {
  const { method = '' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD', 'content-length': 0 }).end();
    return;
  }
  const headers = {
    'cache-control': CACHE_CONTROL,
    etag,
    vary: 'Accept-Encoding',
    // Anybody's page may load it, with `crossorigin` too: it holds nothing of ours.
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
  };
  if (isUnchanged(request, etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(
    String(request.headers['accept-encoding'] ?? ''),
  );
  const body = takesGzip ? gzipped : plain;
  response.writeHead(200, {
    ...headers,
    'content-type': type,
    'content-length': body.length,
    ...(takesGzip && { 'content-encoding': 'gzip' }),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

/** A proxy that compresses by itself makes the tag a weak one. */
function isUnchanged({ headers }: IncomingMessage, etag: string): boolean {
  const known = String(headers['if-none-match'] ?? '').split(',');
  return known.some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
