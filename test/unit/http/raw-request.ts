import { connect } from 'node:net';

/** Writes text to a port as it is, and reads until the server closes: what `fetch` would never send. */
export function rawRequest(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** A request whose target is written literally. */
export function rawGet(port: number, target: string, headers: readonly string[] = []): Promise<string> {
  const lines = [`GET ${target} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...headers];
  return rawRequest(port, `${lines.join('\r\n')}\r\n\r\n`);
}

export function rawUpgrade(port: number, target: string): Promise<string> {
  const lines = [
    `GET ${target} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  return rawRequest(port, `${lines.join('\r\n')}\r\n\r\n`);
}

export function bodyOf(answer: string): unknown {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
}
