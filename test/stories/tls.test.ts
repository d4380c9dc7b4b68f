import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { type Certificate, Certificates } from '../support/certificates.ts';
import { EchoClient } from '../support/echo-client.ts';
import { mintToken } from '../support/jwt.ts';
import { startYamabiko, until } from '../support/yamabiko.ts';

let authority: Certificates;
let first: Certificate;
let second: Certificate;
beforeAll(() => {
  authority = new Certificates();
  first = authority.issue('first', 'IP:127.0.0.1');
  second = authority.issue('second', 'IP:127.0.0.1');
});
afterAll(() => authority.remove());

/** A server whose certificate lies in files that the test may replace. */
async function tlsServer(env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'yamabiko-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const install = ({ cert, key }: Certificate) => {
    copyFileSync(cert, files.cert);
    copyFileSync(key, files.key);
  };
  install(first);
  const agent = new Agent({ ca: readFileSync(authority.ca) });
  const running = await startYamabiko(
    { YAMABIKO_TLS_CERT: files.cert, YAMABIKO_TLS_KEY: files.key, YAMABIKO_TLS_CHECK_MS: '50', ...env },
    {},
    async (url) => (await statusOf(`${url}/health/ready`, agent)) === 200,
  );
  onTestFinished(() => running.stop());
  const { hostname: host, port } = new URL(running.url);
  /** The name in the certificate that a new handshake is shown. */
  const shown = async () => {
    const socket = connect({ host, port: Number(port), ca: readFileSync(authority.ca) });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  return { ...running, files, install, agent, shown, port: Number(port) };
}

async function statusOf(url: string, agent: Agent): Promise<number> {
  const [response] = await once(get(url, { agent }), 'response');
  response.resume();
  return response.statusCode;
}

async function rawClient(url: string): Promise<WebSocket> {
  const address = `${url.replace('https:', 'wss:')}/ws?token=${mintToken({ channel: 'chat:1' })}`;
  const socket = new WebSocket(address, { ca: readFileSync(authority.ca) });
  onTestFinished(() => socket.terminate());
  await once(socket, 'message');
  return socket;
}

describe('a server with a certificate of its own', () => {
  it('serves https, wss, and Socket.IO by both transports', async () => {
    const { url, agent } = await tlsServer();
    expect(url).toMatch(/^https:/);
    expect(await statusOf(`${url}/socket.io/socket.io.js`, agent)).toBe(200);
    await rawClient(url);
    for (const transports of [['websocket'], ['polling']] as const) {
      const page = await EchoClient.open({ url, transports, agent });
      page.channel('news');
      expect(await page.settled('news')).toMatchObject({ ok: true });
      page.close();
    }
  });

  it('speaks no plain HTTP on that port, and lives on when somebody does', async () => {
    const { shown, port, log } = await tlsServer();
    const socket = connectPlain({ host: '127.0.0.1', port });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'close');
    expect(log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await shown()).toBe('first');
  });

  it('shows the new certificate once its files change, and cuts nobody', async () => {
    const { url, install, shown, log } = await tlsServer();
    const client = await rawClient(url);
    expect(await shown()).toBe('first');
    install(second);
    await until(async () => (await shown()) === 'second', 'the second certificate is shown');
    expect(log).toContainEqual(expect.objectContaining({ message: 'the certificate was read anew' }));
    client.send('{"data":{"message":"still here","name":"a"}}');
    expect(String((await once(client, 'message'))[0])).toContain('sended');
  });

  it('keeps the old one while the new files do not fit each other, and says which is wrong', async () => {
    const { files, install, shown, log } = await tlsServer();
    const told = () =>
      log.filter(({ message }) => message === 'the new certificate cannot serve: the old one does');
    copyFileSync(second.cert, files.cert);
    await until(() => told().length === 1, 'the unfit key is told');
    expect(told()[0]?.fields).toEqual({ file: files.key, reason: 'is the key of another certificate' });
    writeFileSync(files.cert, 'half of it');
    await until(() => told().length === 2, 'the half file is told');
    expect(told()[1]?.fields).toEqual({ file: files.cert, reason: 'holds no certificate in PEM' });
    rmSync(files.cert);
    await until(() => told().length === 3, 'the missing file is told');
    expect(told()[2]?.fields).toEqual({ file: files.cert, reason: 'cannot be read (ENOENT)' });
    expect(await shown()).toBe('first');
    install(second);
    await until(async () => (await shown()) === 'second', 'the second certificate is shown');
    expect(told()).toHaveLength(3);
  });

  it('sends the chain with it, and opens the key with its passphrase', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'yamabiko-tls-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const key = join(folder, 'encrypted.key');
    execFileSync('openssl', ['ec', '-in', first.key, '-out', key, '-aes256', '-passout', 'pass:opens it'], {
      stdio: 'pipe',
    });
    const { port } = await tlsServer({
      YAMABIKO_TLS_KEY: key,
      YAMABIKO_TLS_PASSPHRASE: 'opens it',
      YAMABIKO_TLS_CHAIN: authority.ca,
    });
    const socket = connect({ host: '127.0.0.1', port, ca: readFileSync(authority.ca) });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate(true).issuerCertificate.subject.CN).toBe('authority');
    socket.destroy();
  });
});
