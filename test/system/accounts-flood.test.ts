import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ADA, bearer, type TokenBody } from '../support/app.ts';
import { findFreePort, runNode, type ServerProcess, startServer } from '../support/process.ts';

const FLOOD = 300;
const MIB = 1024;

let server: ServerProcess;
beforeEach(async () => {
  server = await startServer({
    RATE_LIMITS: 'off',
    PASSWORD_HASHES_AT_ONCE: '2',
    PASSWORD_QUEUE_SECONDS: '1',
  });
  expect((await post('/v1/register', ADA)).status).toBe(201);
});
afterEach(async () => {
  await server.stop();
});

function post(path: string, body: unknown): Promise<Response> {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function logIn(): Promise<TokenBody> {
  return (await (await post('/v1/login', ADA)).json()) as TokenBody;
}

/** A line of /proc/PID/status, such as VmHWM, the most memory so far, in KiB. */
function kibibytes(name: string): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
}

describe('three hundred logins at once', () => {
  test('get a token, or 503 with the seconds to wait, and take no more than 128 MiB', async () => {
    const idle = kibibytes('VmRSS');
    const responses = await Promise.all(Array.from({ length: FLOOD }, () => post('/v1/login', ADA)));
    const accepted = responses.filter(({ status }) => status === 200);
    const refused = responses.filter(({ status }) => status === 503);
    expect(accepted.length).toBeGreaterThan(2);
    expect(refused.length).toBeGreaterThan(0);
    expect(accepted.length + refused.length).toBe(FLOOD);
    for (const response of accepted) {
      const { access_token } = (await response.json()) as TokenBody;
      const verified = await fetch(`${server.url}/v1/verify`, { headers: bearer(access_token) });
      expect(verified.status).toBe(200);
    }
    for (const response of refused) {
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(await response.json()).toMatchObject({ type: 'urn:idcard:problem:overloaded', status: 503 });
    }
    expect(kibibytes('VmHWM') - idle).toBeLessThan(128 * MIB);
  });

  test('hold up neither verification nor the answer that the process lives', async () => {
    const { access_token } = await logIn();
    let answered = 0;
    const flood = Array.from({ length: FLOOD }, () => post('/v1/login', ADA).then(() => answered++));
    await flood[0];
    for (let index = 0; index < 10; index++) {
      const verified = await fetch(`${server.url}/v1/verify`, { headers: bearer(access_token) });
      expect(verified.status).toBe(200);
      expect((await fetch(`${server.url}/livez`)).status).toBe(200);
      if (index === 0) expect(answered).toBeLessThan(FLOOD);
    }
    await Promise.all(flood);
  });

  test('are not hashed for when their clients leave, and the next login finds room', async () => {
    const { hostname, port } = new URL(server.url);
    const body = JSON.stringify({ email: ADA.email, password: 'violet otters play go' });
    const sockets = Array.from({ length: FLOOD }, () => connect(Number(port), hostname));
    for (const socket of sockets) {
      socket.on('error', () => undefined).resume();
      socket.write(
        `POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    }
    const events = (name: string) => server.stdout().split(`"event":"${name}"`).length - 1;
    await vi.waitFor(() => expect(events('login.failed')).toBeGreaterThan(0), { timeout: 10_000 });
    for (const socket of sockets) socket.destroy();
    const settled = () => events('login.failed') + events('attempts.turned-away');
    await vi.waitFor(() => expect(settled()).toBe(FLOOD), { timeout: 10_000 });
    expect(events('login.failed')).toBeLessThan(FLOOD / 4);
    expect((await post('/v1/login', ADA)).status).toBe(200);
  });
});

describe("the pool of libuv's threads", () => {
  function poolThreads(): number {
    const folder = `/proc/${server.pid}/task`;
    const names = readdirSync(folder).map((id) => readFileSync(`${folder}/${id}/comm`, 'utf8').trim());
    return names.filter((name) => name === 'libuv-worker').length;
  }

  test('has one more than there are hashes at once', async () => {
    await server.stop();
    server = await startServer({ PASSWORD_HASHES_AT_ONCE: '3' });
    await logIn();
    expect(poolThreads()).toBe(4);
  });

  test('is as large as the operator says', async () => {
    await server.stop();
    server = await startServer({ UV_THREADPOOL_SIZE: '7' });
    await logIn();
    expect(poolThreads()).toBe(7);
  });

  test('leaves room for DNS, files and WebCrypto while passwords are hashed and more of them wait', async () => {
    const port = String(await findFreePort());
    const env = {
      DATA_DIR: server.dataDir,
      HOST: '127.0.0.1',
      PORT: port,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'silent',
      PASSWORD_HASHES_AT_ONCE: '2',
      PASSWORD_QUEUE_SECONDS: '60',
    };
    const { code, stdout } = await runNode(['test/support/pool-probe.ts'], { env });
    expect(code).toBe(0);
    const done = stdout.trim().split('\n');
    expect(done.filter((what) => what === 'login')).toHaveLength(40);
    for (const what of ['dns', 'file', 'webcrypto']) {
      expect(done.indexOf(what) - done.indexOf('start')).toBeLessThan(10);
    }
  });
});
