import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Agent, request } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ADA, bearer, type TokenBody } from '../../support/app.ts';
import { balancerConfig } from '../../support/balancer.ts';
import { issueCertificate } from '../../support/certificates.ts';
import { type Nginx, startNginx } from '../../support/nginx.ts';
import {
  findFreePort,
  run,
  type ServerProcess,
  startServer,
  temporaryFolder,
} from '../../support/process.ts';
import { lacks } from '../../support/system.ts';

const POLL = { timeout: 10_000 };
const json = { 'content-type': 'application/json' };

describe.skipIf(lacks('nginx'))('behind deploy/nginx/balancer.conf', () => {
  const folder = temporaryFolder();
  let port: number;
  let url: string;
  let replicas: ServerProcess[] = [];
  let nginx: Nginx;

  function logIn(body: object = ADA, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${url}/v1/login`, {
      method: 'POST',
      headers: { ...json, ...headers },
      body: JSON.stringify(body),
    });
  }

  /** How many events each replica logged, as far as it has arrived here: to be polled. */
  const eventsOf = () => replicas.map((replica) => replica.stdout().split('"event"').length);

  beforeAll(async () => {
    port = await findFreePort();
    url = `http://127.0.0.1:${port}`;
    const env = {
      DATA_DIR: folder,
      PUBLIC_URL: `https://${'a.'.repeat(110)}example.com`,
      TRUSTED_PROXIES: '127.0.0.1',
      AUDIENCE: 'a'.repeat(256),
    };
    const ports = [await findFreePort(), await findFreePort()] as const;
    for (const PORT of ports.map(String)) replicas.push(await startServer({ ...env, PORT }));
    nginx = await startNginx(balancerConfig({ port, replicas: ports }), port);
    const roles = Array.from({ length: 16 }, (_, index) => `${index}`.padEnd(32, 'x'));
    await run(['users', 'add', ADA.email, '--role', ...roles], {
      env: { DATA_DIR: folder },
      input: ADA.password,
    });
  });
  afterAll(async () => {
    await nginx?.stop();
    await Promise.all(replicas.map((replica) => replica.stop()));
    rmSync(folder, { recursive: true });
  });

  test('both replicas serve, and each takes the tokens of the other', async () => {
    const before = eventsOf();
    const { access_token } = (await (await logIn()).json()) as TokenBody;
    await logIn();
    await expect.poll(eventsOf, POLL).toEqual(before.map((count) => count + 1));
    for (let index = 0; index < 4; index++) {
      expect((await fetch(`${url}/v1/verify`, { headers: bearer(access_token) })).status).toBe(200);
    }
  });

  test('a client is known by its connection, whatever address it claims', async () => {
    await logIn({ ...ADA, password: 'a wrong password, of course' }, { 'x-forwarded-for': '203.0.113.9' });
    const logOf = () => replicas.map((replica) => replica.stdout()).join('');
    await expect.poll(logOf, POLL).toContain('"event":"login.failed"');
    const log = logOf();
    expect(log).toContain('"address":"127.0.0.1"');
    expect(log).not.toContain('203.0.113.9');
  });

  test('the largest cookies pass, both ways', async () => {
    const response = await logIn({ ...ADA, transport: 'cookie' });
    const cookies = response.headers.getSetCookie().map((line) => line.split(';')[0]);
    const padded = `${cookies[0]}; padding=${'x'.repeat(5000)}`;
    expect(cookies[0]?.length).toBeGreaterThan(1500);
    expect((await fetch(`${url}/v1/me`, { headers: { cookie: padded } })).status).toBe(200);
  });

  test('hostile requests are refused, and take no replica out of use', async () => {
    const head = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n';
    const long = 'x'.repeat(15_000);
    for (const hostile of [
      `GET /v1/me ${head}A: ${long}\r\nB: ${long}\r\n\r\n`,
      `GET /v1/me ${head}A: ${long}${long}\r\n\r\n`,
      `GET /${long}${long} ${head}\r\n`,
      `POST /v1/login ${head}Content-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`,
      `POST /v1/login ${head}Transfer-Encoding: chunked\r\n\r\nf4240\r\n${'x'.repeat(1_000_000)}\r\n0\r\n\r\n`,
      `FOO_BAR /v1/me ${head}\r\n`,
      `GET /v1/me ${head}A: \x01\r\n\r\n`,
    ]) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.write(hostile);
      expect(await text(socket).catch(String)).toMatch(/^(HTTP\/1\.1 4\d\d |Error: .*ECONNRESET)/);
    }
    const before = eventsOf();
    await logIn();
    await logIn();
    await expect.poll(eventsOf, POLL).toEqual(before.map((count) => count + 1));
  });

  test('no request fails when a replica is killed, not even a login', async () => {
    await replicas[0]?.stop('SIGKILL');
    replicas = replicas.slice(1);
    const answers = Array.from({ length: 20 }, (_, index) => (index % 2 ? logIn() : fetch(`${url}/livez`)));
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe.skipIf(lacks('nginx'))('deploy/nginx/balancer.conf before a replica that misbehaves', () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Two stand-ins for idcard. @param answer undefined to break the connection once the request is there */
  async function start(
    answer: (request: string, replica: number) => number | undefined,
    { withTls = false, breaksAfterMs = 0 } = {},
  ) {
    const received: string[] = [];
    const servers = [1, 2].map((replica) =>
      createServer((request, reply) => {
        const asked = `${request.method} ${request.url}`;
        received.push(`${asked} ${replica}`);
        const status = answer(asked, replica);
        if (status === undefined) setTimeout(() => request.socket.destroy(), breaksAfterMs);
        else reply.writeHead(status).end(request.headers['x-forwarded-proto']);
      }).listen(0, '127.0.0.1'),
    );
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const [first = 0, second = 0] = servers.map((server) => (server.address() as AddressInfo).port);
    const [port, tlsPort] = [await findFreePort(), await findFreePort()];
    const files = { certificateFile: join(folder, 'certificate.pem'), keyFile: join(folder, 'key.pem') };
    const tls = withTls ? { port: tlsPort, ...files } : undefined;
    const { certificate, key } = issueCertificate('login.example.com', issueCertificate('An authority'));
    writeFileSync(files.certificateFile, certificate);
    writeFileSync(files.keyFile, key);
    const nginx = await startNginx(
      balancerConfig({ port, replicas: [first, second], ...(tls && { tls }) }),
      port,
    );
    onTestFinished(async () => {
      await nginx.stop();
      for (const server of servers) server.close().closeAllConnections();
    });
    return { url: `http://127.0.0.1:${port}`, tlsPort, received };
  }

  test('a GET is asked of the other replica, a POST that was sent is not', async () => {
    const { url, received } = await start((_request, replica) => (replica === 1 ? undefined : 200));
    expect((await fetch(url)).status).toBe(200);
    expect(received).toEqual(['GET / 1', 'GET / 2']);

    const other = await start(() => undefined);
    expect((await fetch(other.url, { method: 'POST' })).status).toBe(502);
    expect(other.received).toHaveLength(1);
  });

  test.each(['login', 'refresh'])(
    'nor is POST /v1/%s lost, which does no harm when done twice',
    async (route) => {
      const { url, received } = await start((_request, replica) => (replica === 1 ? undefined : 200), {
        breaksAfterMs: 3500, // as long may a login wait for its hash
      });
      expect((await fetch(`${url}/v1/${route}`, { method: 'POST' })).status).toBe(200);
      expect(received).toEqual([`POST /v1/${route} 1`, `POST /v1/${route} 2`]);
    },
  );

  test.each(['register', 'change-password', 'logout-everywhere', 'login/', 'login%20'])(
    'POST /v1/%s is sent once',
    async (route) => {
      const { url, received } = await start(() => undefined);
      expect((await fetch(`${url}/v1/${route}`, { method: 'POST' })).status).toBe(502);
      expect(received).toHaveLength(1);
    },
  );

  test('answers of 503 are passed on, asked for once, and take no replica out of use', async () => {
    const { url, received } = await start((request) => (request === 'GET /v1/verify' ? 200 : 503));
    for (let index = 0; index < 10; index++) {
      const method = index % 2 ? 'POST' : 'GET';
      expect((await fetch(`${url}/v1/me`, { method })).status).toBe(503);
    }
    expect(received).toHaveLength(10);
    for (let index = 0; index < 4; index++) expect((await fetch(`${url}/v1/verify`)).status).toBe(200);
    expect(new Set(received.slice(10))).toEqual(new Set(['GET /v1/verify 1', 'GET /v1/verify 2']));
  });

  test('its lines for TLS serve https, and send http there', async () => {
    const { url, tlsPort } = await start(() => 200, { withTls: true });
    const plain = await fetch(`${url}/v1/me?a=1`, { redirect: 'manual' });
    expect([plain.status, plain.headers.get('location')]).toEqual([308, 'https://127.0.0.1/v1/me?a=1']);

    const options = { host: '127.0.0.1', port: tlsPort, agent: new Agent({ rejectUnauthorized: false }) };
    const sent = request(options).end();
    const [response] = await once(sent, 'response');
    expect([response.statusCode, await text(response)]).toEqual([200, 'https']);
  });
});
