import type { IncomingHttpHeaders } from 'node:http';

/** The headers of a handshake (RFC 6455 §4.1, RFC 8441 §5). Proxies that ask about a request hand on only some of them. */
const HANDSHAKE_HEADERS = [
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
];

/** Whether a request opens a WebSocket, by which a page reads and writes, whatever the method of the request. */
export function isHandshake(headers: IncomingHttpHeaders): boolean {
  return (
    HANDSHAKE_HEADERS.some((name) => headers[name] !== undefined) || headers['sec-fetch-mode'] === 'websocket'
  );
}
