import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * A request as it goes over the wire, one byte a character: nothing between a table and the server corrects a name,
 * escapes a value or drops a second header.
 */
export interface WireRequest {
  method?: 'GET' | 'POST' | 'PUT';
  path: string;
  headers?: readonly (readonly [name: string, value: string])[];
  body?: string;
}

export interface Answer {
  status: number;
  /** By name in lower case. */
  headers: Map<string, string>;
  body: string;
}

const PATIENCE_MS = 5000;

/**
 * Sends one request over a connection of its own, and reads to its end.
 * @param how whether our end is closed behind the request; Node.js gives up one that it has not answered by then
 */
export async function send(
  port: number,
  request: WireRequest,
  how: 'closed behind' | 'left open' = 'closed behind',
): Promise<Answer> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => undefined); // the server may close before it has read everything
  if (how === 'left open') socket.write(serialize(request), 'latin1');
  else socket.end(serialize(request), 'latin1');
  await once(socket, 'close');
  return parse(received);
}

function serialize({ method = 'GET', path, headers = [], body }: WireRequest): string {
  const given = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const hasLength = /^(content-length|transfer-encoding)\s*:/im.test(given);
  const length = body === undefined || hasLength ? '' : `Content-Length: ${body.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: idcard\r\nConnection: close\r\n${length}${given}\r\n${body ?? ''}`;
}

function parse(received: string): Answer {
  const end = received.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = received.slice(0, Math.max(end, 0)).split('\r\n');
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(statusLine.split(' ')[1]), headers, body: received.slice(end + 4) };
}
