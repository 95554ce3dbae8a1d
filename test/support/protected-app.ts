import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { ADA, addUser, BOB, createTestApp, logIn, logInWithCookies, type TestApp } from './app.ts';
import { startCaddy } from './caddy.ts';
import { startNginx } from './nginx.ts';
import { findFreePort } from './process.ts';

interface Ports {
  own: number;
  idcard: number;
  app: number;
}

export interface ProxyOptions {
  /** Whether it speaks HTTP/2 without TLS; nginx then speaks nothing else. */
  http2?: boolean;
  /** Its name; 127.0.0.1 by default. */
  host?: string;
  /** The parameters of `GET /v1/verify`, as an operator appends them. */
  parameters?: string;
}

type Start = (ports: Ports, options: ProxyOptions) => Promise<() => Promise<void>>;

export interface Proxy {
  name: 'nginx' | 'caddy';
  /** What it answers when idcard does not. */
  away: number;
  /** What it answers to two credentials: nginx knows 401 and 403 alone. */
  several: number;
  start: Start;
}

/** The files that users are given, with these ports instead of theirs. */
export const PROXIES: readonly Proxy[] = [
  {
    name: 'nginx',
    away: 500,
    several: 401,
    async start({ own, idcard, app }, { http2 = false, parameters }) {
      const config = readFileSync('deploy/nginx/protect-app.conf', 'utf8')
        .replace('listen 80;', `listen 127.0.0.1:${own}${http2 ? ' http2' : ''};`)
        .replace('server 127.0.0.1:3000', `server 127.0.0.1:${idcard}`)
        .replace('server 127.0.0.1:8080', `server 127.0.0.1:${app}`)
        .replace('/v1/verify;', parameters === undefined ? '/v1/verify;' : `/v1/verify?${parameters};`);
      return (await startNginx(config, own)).stop;
    },
  },
  {
    name: 'caddy',
    away: 502,
    several: 400,
    start({ own, idcard, app }, { host = '127.0.0.1', http2 = false, parameters = '' }) {
      const caddyfile = readFileSync('deploy/caddy/Caddyfile', 'utf8')
        .replace('\napp.example.com {', `\nhttp://${host}:${own} {`)
        .replaceAll('127.0.0.1:3000', `127.0.0.1:${idcard}`)
        .replace('127.0.0.1:8080', `127.0.0.1:${app}`)
        .replace('uri /v1/verify?', `uri /v1/verify?${parameters}`);
      return startCaddy(caddyfile, http2 ? 'servers {\nprotocols h1 h2c\n}' : '');
    },
  },
];

/** What idcard publishes to everybody, beside `/v1/`. */
export const PUBLIC_PATHS = [
  '/.well-known/jwks.json',
  '/.well-known/revocations',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
] as const;

export const IDENTITY = ['X-Auth-Subject', 'X-Auth-Roles', 'X-Auth-Email'] as const;

/** A header's name in every spelling that some framework takes for the same: CGI knows no "-", and PHP no ".". */
export function spellingsOf(header: string): string[] {
  const [first, second, third] = header.split('-');
  return [...'-_.'].flatMap((one) => [...'-_.'].map((two) => `${first}${one}${second}${two}${third}`));
}

/** What the application received. */
interface Received {
  method: string;
  url: string;
  rawHeaders: string[];
  rawTrailers: string[];
}

export interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

export type ProtectedApp = Awaited<ReturnType<typeof startProtectedApp>>;

/** A real proxy with the file of deploy/, idcard and an application behind it, and two users who are logged in. */
export async function startProtectedApp(
  { start }: Proxy,
  { env = {}, ...options }: ProxyOptions & { env?: Record<string, string> } = {},
) {
  const ports = { own: await findFreePort(), idcard: await findFreePort(), app: await findFreePort() };
  const origin = `http://${options.host ?? '127.0.0.1'}:${ports.own}`;
  const idcard: TestApp = await createTestApp({
    env: { PUBLIC_URL: origin, TRUSTED_PROXIES: '127.0.0.1', ...env },
  });
  const { id: adaId } = await addUser(idcard, { ...ADA, roles: ['admin', 'author'] });
  const { id: bobId } = await addUser(idcard, BOB);
  const ada = {
    id: adaId,
    token: (await logIn(idcard)).access_token,
    cookie: await logInWithCookies(idcard),
  };
  const bob = { id: bobId, token: (await logIn(idcard, BOB)).access_token };
  await idcard.app.listen({ host: '127.0.0.1', port: ports.idcard });
  const app = await startApp(ports.app);
  const stop = await start(ports, options);

  return {
    ports,
    origin,
    idcard,
    ada,
    bob,
    /** What the application received since the last request. */
    received: app.received,

    /** One request, its address as it stands, on a connection of its own. */
    async ask(
      path: string,
      headers: Record<string, string | string[]> = {},
      method = 'GET',
    ): Promise<Answer> {
      app.received.length = 0;
      const sent = request({ host: '127.0.0.1', port: ports.own, path, method, headers, agent: false }).end();
      const [response] = await once(sent, 'response');
      return { status: response.statusCode, headers: response.headers, body: await text(response) };
    },

    /** One request as these lines, Host included, and what came until the proxy or the application closed. */
    async send(requestLine: string, lines: readonly string[], body = ''): Promise<string> {
      app.received.length = 0;
      const socket = connect(ports.own, '127.0.0.1').on('error', () => undefined);
      socket.write(
        [`${requestLine} HTTP/1.1`, `Host: 127.0.0.1:${ports.own}`, ...lines, '', body].join('\r\n'),
        'latin1',
      );
      // What stays open after its answer is closed here.
      let answer = '';
      for await (const chunk of socket.setEncoding('latin1')) {
        answer += chunk;
        if (/^HTTP\/1\.1 [^1].*\r\n\r\n/s.test(answer)) socket.end();
      }
      return answer;
    },

    /** Every value that a framework could take for a header of this name. */
    valuesOf(header: string): string[] {
      const [{ rawHeaders, rawTrailers } = { rawHeaders: [], rawTrailers: [] }] = app.received;
      const pairs = [...rawHeaders, ...rawTrailers];
      return pairs.filter(
        (_, index) =>
          index % 2 === 1 && pairs[index - 1]?.toLowerCase().replaceAll(/[^a-z0-9]/g, '-') === header,
      );
    },

    async stop() {
      await stop();
      app.stop();
      await idcard.close();
    },
  };
}

/** An application that believes whatever it is told, and takes every WebSocket. */
async function startApp(port: number) {
  const received: Received[] = [];
  const server = createServer(async (incoming, reply) => {
    await text(incoming);
    const { method = '', url = '', rawHeaders, rawTrailers } = incoming;
    received.push({ method, url, rawHeaders, rawTrailers });
    reply.end('the application');
  });
  server.on('upgrade', ({ method = '', url = '', headers, rawHeaders }, socket) => {
    received.push({ method, url, rawHeaders, rawTrailers: [] });
    const accept = createHash('sha1').update(
      `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    );
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
    const message = 'the socket of the application';
    // A frame of text (RFC 6455 §5.2), and the end.
    const frame = `\x81${String.fromCharCode(message.length)}${message}`;
    socket.end(
      [...lines, `Sec-WebSocket-Accept: ${accept.digest('base64')}`, '', frame].join('\r\n'),
      'latin1',
    );
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    received,
    stop() {
      server.close().closeAllConnections();
    },
  };
}
