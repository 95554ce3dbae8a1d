import type { IncomingHttpHeaders } from 'node:http';

/** The headers of a handshake (RFC 6455 §4.1, RFC 8441 §5). Proxies hand on only some of them to whom they ask. */
const HANDSHAKE_HEADERS = [
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
];

/** Whether this asks for a connection by which a page reads and writes, whatever its method says. */
export function isHandshake(headers: IncomingHttpHeaders): boolean {
  return (
    HANDSHAKE_HEADERS.some((name) => headers[name] !== undefined) || headers['sec-fetch-mode'] === 'websocket'
  );
}
