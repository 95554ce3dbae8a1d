import { createHash } from 'node:crypto';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { idcard } from '../../../src/verifier/index.ts';
import { createTestIssuer } from '../../../src/verifier/testing.ts';
import { findFreePort } from '../../support/process.ts';
import { type Browser, CHROMIUM_AND_WEBKIT, type Context, describeIn } from './browsers.ts';
import { serveHostilePage } from './hostile-page.ts';

const { options, mintToken } = createTestIssuer({ issuer: 'http://localhost:3000' });

/** A handshake as it arrived. */
interface Handshake {
  origin: string | undefined;
  hasCookie: boolean;
}

describeIn(CHROMIUM_AND_WEBKIT, 'a WebSocket', (engine) => {
  const handshakes: Handshake[] = [];
  let browser: Browser;
  let context: Context;
  let service: FastifyInstance;
  let url: string;
  let hostile: { port: number; close: () => void };

  beforeAll(async () => {
    const port = await findFreePort();
    url = `http://localhost:${port}`;
    service = await serveSocket(url, handshakes);
    await service.listen({ port, host: '127.0.0.1' });
    hostile = await serveHostilePage();
    browser = await engine.open();
  });
  afterAll(async () => {
    await browser?.close();
    hostile?.close();
    await service?.close();
  });

  /** The victim, who is logged in. */
  beforeEach(async () => {
    await context?.close();
    context = await browser.newContext();
    await (await context.newPage()).goto(`${url}/own`);
    handshakes.length = 0;
  });

  /** What a page of this address hears when it opens the socket of the service. */
  async function hear(address: string): Promise<unknown> {
    const page = await context.newPage();
    await page.goto(address);
    return page.evaluate(`new Promise((done) => {
      const socket = new WebSocket('${url.replace('http', 'ws')}/socket');
      socket.onmessage = ({ data }) => done(data);
      socket.onerror = () => done('nothing');
    })`);
  }

  test('of the own origin speaks as the user', async () => {
    expect(await hear(`${url}/own`)).toBe('the secret of ada');
    expect(handshakes).toEqual([{ origin: url, hasCookie: true }]);
  });

  test('of another origin of the same site is refused, though the cookie comes along', async () => {
    const sibling = `http://localhost:${hostile.port}`;
    expect(await hear(sibling)).toBe('nothing');
    expect(handshakes).toEqual([{ origin: sibling, hasCookie: true }]);
  });

  test('of another site is refused', async () => {
    const stranger = `http://127.0.0.1:${hostile.port}`;
    expect(await hear(stranger)).toBe('nothing');
    expect(handshakes.map(({ origin }) => origin)).toEqual([stranger]);
  });
});

/** A service whose socket needs a login, routed as @fastify/websocket does it. */
async function serveSocket(publicUrl: string, handshakes: Handshake[]): Promise<FastifyInstance> {
  const app = Fastify();
  const sockets = new Set<Socket>();
  app.addHook('preClose', async () => {
    for (const socket of sockets) socket.destroy();
  });
  await app.register(idcard, { ...options, publicUrl });
  app.get('/own', (_request, reply) => {
    const token = mintToken({ sub: 'ada' });
    reply
      .header('set-cookie', `access=${token}; Path=/; HttpOnly; SameSite=Lax`)
      .type('text/html')
      .send('<body>own');
  });
  app.get('/socket', { onRequest: app.requireLogin() }, (request, reply) => {
    reply.hijack();
    accept(request.raw, `the secret of ${request.claims.sub}`);
  });
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    const { origin, cookie } = request.headers;
    handshakes.push({ origin, hasCookie: cookie?.includes('access=') ?? false });
    sockets.add(socket);
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.on('finish', () => socket.end());
    app.routing(request, response);
  });
  return app;
}

/** RFC 6455 §4.2.2 and §5.6, for a short text. */
function accept({ headers, socket }: IncomingMessage, text: string): void {
  const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\n\r\n`,
  );
  socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
}
