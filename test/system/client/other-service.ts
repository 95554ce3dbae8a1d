import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** A service that is not idcard: an API of the same people, or somebody else's. */
export interface OtherService {
  url: string;
  /** What arrived. */
  requests: { method: string; path: string; headers: IncomingHttpHeaders; body: string }[];
  /** How it answers; 200 unless told. */
  answer: (response: ServerResponse, index: number) => void;
  close: () => void;
}

export async function serveOther(): Promise<OtherService> {
  const server = createServer(async (incoming, response) => {
    const { method = '', url = '', headers } = incoming;
    response.setHeader('access-control-allow-origin', headers.origin ?? '*');
    response.setHeader('access-control-allow-headers', 'authorization, content-type, dpop');
    if (method === 'OPTIONS') {
      response.end();
      return;
    }
    const index = other.requests.length;
    other.requests.push({ method, path: url, headers, body: '' });
    const body = await text(incoming);
    other.requests[index] = { method, path: url, headers, body };
    other.answer(response, index);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const other: OtherService = {
    url: `http://127.0.0.1:${address.port}`,
    requests: [],
    answer: () => undefined,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return other;
}
