import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { noAttemptLimits } from '../src/attempts/limits.ts';
import { openRedisLimits } from '../src/attempts/redis-limits.ts';
import { bearer, createClient, dpop } from '../src/client/index.ts';
import { openDatabase } from '../src/database/index.ts';
import { createEvents } from '../src/events/events.ts';
import { logEvents } from '../src/events/log.ts';
import { ADA } from './support/app.ts';
import { type Certificate, issueCertificate } from './support/certificates.ts';
import { temporaryFolder } from './support/process.ts';
import { createService } from './verifier/service.ts';

/*
 * Whoever stands in the place of a server shows a certificate of an authority that nobody knows, and asks for the password
 * in plain text. NODE_TLS_REJECT_UNAUTHORIZED=0, set for some other program, makes Node.js take any certificate.
 */
const folder = temporaryFolder();
let host: Certificate;
let heard: string;
const closers: (() => unknown)[] = [];
beforeAll(() => {
  host = issueCertificate('localhost', issueCertificate('An authority that nobody knows'));
});
beforeEach(() => {
  heard = '';
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0)) await close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const credentials = () => ({ cert: host.certificate, key: host.key });

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  server.listen(0, 'localhost');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Takes the request for TLS, then asks for the password in plain text, and hears what comes. */
function asPostgres(socket: Socket): void {
  socket.once('data', () => {
    socket.write('S');
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext(credentials()),
    });
    secured.on('error', () => undefined);
    secured.on('data', (chunk) => {
      heard += chunk;
      secured.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])); // AuthenticationCleartextPassword
    });
  });
}

describe('with NODE_TLS_REJECT_UNAUTHORIZED=0, an impostor hears no password that', () => {
  test('PostgreSQL is to get', async () => {
    const port = await listen(createServer(asPostgres));
    const open = (parameters: string) =>
      openDatabase(`postgres://ada:violet@localhost:${port}/idcard?${parameters}&connect_timeout=1`);
    for (const parameters of [
      'sslmode=verify-full',
      'sslrootcert=system',
      'sslmode=require&channel_binding=require',
    ])
      await expect(open(parameters), parameters).rejects.toThrow(
        /not trusted \(|channel_binding or require_auth/,
      );
    expect(heard).not.toContain('violet');
    await expect(open('sslmode=require')).rejects.toThrow();
    expect(heard).toContain('violet'); // it does listen: require checks nobody
  });

  test('Redis is to get', async () => {
    const server = createTlsServer(credentials(), (socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (chunk) => {
          heard += chunk;
        });
    });
    const warn = vi.fn();
    const limits = await openRedisLimits(
      { redisUrl: `rediss://:violet@localhost:${await listen(server)}`, publicUrl: 'http://localhost' },
      noAttemptLimits,
      createEvents(logEvents({ info: vi.fn(), warn, error: vi.fn() })),
    );
    limits.close?.();
    expect(warn).toHaveBeenCalledExactlyOnceWith({
      event: 'limits.local',
      reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    expect(heard).toBe('');
  });

  test('a client sends, and gives no verifier its keys', async () => {
    const server = createHttpsServer(credentials(), (request, response) => {
      heard += `${request.method} ${request.url}\n`;
      response.end('{}');
    });
    const url = `https://localhost:${await listen(server)}`;
    for (const transport of [bearer(), dpop()]) {
      const client = createClient({ url, transport });
      await expect(client.login(ADA)).rejects.toThrow('NODE_TLS_REJECT_UNAUTHORIZED');
      await expect(client.fetch(`${url}/v1/me`)).rejects.toThrow('NODE_TLS_REJECT_UNAUTHORIZED');
    }
    const service = await createService({ issuer: url, audience: 'api' });
    await service.app.ready();
    const [line] = service.logLines().filter(({ event }) => event === 'idcard.keys.stale');
    expect(line?.err).toMatchObject({
      message: expect.stringContaining(`${url} is not asked while NODE_TLS_REJECT_UNAUTHORIZED=0`),
    });
    await service.app.close();
    expect(heard).toBe('');
    expect(await (await fetch(url)).text()).toBe('{}'); // this process itself would ask it
  });
});
