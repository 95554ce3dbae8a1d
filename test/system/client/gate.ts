import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort, type ServerProcess, startServer, temporaryFolder } from '../../support/process.ts';

/** One request as it arrived, and how it was answered. */
interface Passage {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  status: number;
  /** Of the answer. */
  body: string;
}

/** A real server of idcard, and a gate before it at which requests and answers can be held up, lost and changed. */
export interface Gate {
  url: string;
  server: ServerProcess;
  passages: Passage[];
  /** What is at `/page`, for a browser. */
  page: string;
  /** Answers in the server's place. */
  instead: (path: string) => Answer | undefined;
  /** Waits before an answer of the server goes on; `lose` drops it. */
  after: (path: string, answer: IncomingMessage) => Promise<'lose' | undefined>;
  /** How many refreshes the server itself has logged until now. */
  refreshes: () => Promise<number>;
  /** Ends the server and starts it again, with the same users and keys. */
  restart: (whileDown: () => Promise<void>) => Promise<void>;
  /** Lets everything through again, and forgets what went through. */
  reset: () => void;
  close: () => Promise<void>;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

const KEEPS_ALL = { instead: () => undefined, after: async () => undefined };

export async function openGate(env: Record<string, string> = {}): Promise<Gate> {
  const [port, serverPort] = [await findFreePort(), await findFreePort()];
  const url = `http://localhost:${port}`;
  const dataDir = temporaryFolder();
  const settings = {
    DATA_DIR: dataDir,
    PORT: String(serverPort),
    PUBLIC_URL: url,
    RATE_LIMITS: 'off',
    ...env,
  };
  const sockets = createServer(async (incoming, outgoing) => {
    const { method = '', url: path = '', headers } = incoming;
    const pass = (status: number, answerHeaders: IncomingHttpHeaders = {}, body = '') => {
      gate.passages.push({ method, path, headers, status, body });
      outgoing.writeHead(status, answerHeaders).end(body);
    };
    if (path.startsWith('/page')) {
      outgoing.setHeader('content-type', 'text/html').end(gate.page);
      return;
    }
    const answer = gate.instead(path);
    if (answer) {
      pass(answer.status, answer.headers, answer.body);
      return;
    }
    const onward = request({ host: '127.0.0.1', port: serverPort, method, path, headers }, async (reply) => {
      const fate = await gate.after(path, reply);
      if (fate === 'lose') {
        outgoing.destroy();
        return;
      }
      pass(reply.statusCode ?? 502, reply.headers, await text(reply));
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  }).listen(port, '127.0.0.1');
  await once(sockets, 'listening');

  const gate: Gate = {
    url,
    server: await startServer(settings),
    passages: [],
    page: '',
    ...KEEPS_ALL,
    async refreshes() {
      const logged = (event: string) => gate.server.stdout().split(`"event":"${event}"`).length - 1;
      const before = logged('logout');
      await fetch(`http://127.0.0.1:${serverPort}/v1/logout`, { method: 'POST' }); // the log has all when it has this
      while (logged('logout') === before) await sleep(5);
      return logged('token.refreshed');
    },
    async restart(whileDown) {
      await gate.server.stop();
      await whileDown();
      gate.server = await startServer(settings);
    },
    reset: () => {
      Object.assign(gate, KEEPS_ALL);
      gate.passages.length = 0;
    },
    async close() {
      sockets.closeAllConnections();
      sockets.close();
      await gate.server.stop();
      rmSync(dataDir, { recursive: true });
    },
  };
  return gate;
}
