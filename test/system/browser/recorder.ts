import { once } from 'node:events';
import { createServer, request } from 'node:http';

/** One request as it arrived at the server, and its answer. */
export interface Passage {
  method: string;
  path: string;
  /** `Sec-Fetch-Site`, by which a browser says where a request comes from. */
  site: string | undefined;
  hasCookies: boolean;
  status: number | undefined;
}

export interface Recorder {
  passages: Passage[];
  close: () => void;
}

/** The API has no page of its own: this one, at `/own`, stands for an app that is served from the same origin. */
const OWN_PAGE = '<!doctype html><title>own</title><body>own</body>';

/**
 * Stands before the server and writes down what the browser sent, since a page is told nothing about its own
 * requests to another origin.
 */
export async function record(port: number, serverPort: number): Promise<Recorder> {
  const passages: Passage[] = [];
  const proxy = createServer((incoming, outgoing) => {
    const { method = '', url: path = '', headers } = incoming;
    if (path === '/own') {
      outgoing.setHeader('content-type', 'text/html').end(OWN_PAGE);
      return;
    }
    const onward = request({ host: '127.0.0.1', port: serverPort, method, path, headers }, (answer) => {
      const site = headers['sec-fetch-site']?.toString();
      const hasCookies = /(?:^|; )(?:access|refresh|device)=/.test(headers.cookie ?? '');
      if (path.startsWith('/v1/'))
        passages.push({ method, path, site, hasCookies, status: answer.statusCode });
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  }).listen(port, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    passages,
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
