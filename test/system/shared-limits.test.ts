import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADA } from '../support/app.ts';
import { issueCertificate } from '../support/certificates.ts';
import { findFreePort, run, type ServerProcess, startServer, temporaryFolder } from '../support/process.ts';
import { type Redis as RedisServer, startRedis } from '../support/redis.ts';
import { lacks } from '../support/system.ts';
import { ask, until } from '../support/workers.ts';

const WRONG = { ...ADA, password: 'a guess that is quite long' };
const PUBLIC_URL = 'http://localhost:3000'; // where the password of the documentation is good

interface Replica extends ServerProcess {
  /** Where it listens; `url` is where clients would find all of them. */
  at: string;
}

let folder: string;
let redis: RedisServer | undefined;
let replicas: Replica[];
beforeEach(() => {
  folder = temporaryFolder();
  replicas = [];
});
afterEach(async () => {
  await Promise.all(replicas.map((replica) => replica.stop('SIGKILL')));
  await redis?.remove();
  redis = undefined;
  rmSync(folder, { recursive: true });
});

/** Starts a replica on the same users and the same keys as the others. */
async function startReplica(env: Record<string, string>): Promise<Replica> {
  const PORT = String(await findFreePort());
  // Never 503, however slow the machine: it is the count that is tested.
  const patient = { PASSWORD_QUEUE_SECONDS: '60' };
  const server = await startServer({ PUBLIC_URL, PORT, DATA_DIR: folder, ...patient, ...env });
  const replica = { ...server, at: `http://127.0.0.1:${PORT}` };
  replicas.push(replica);
  await until(() => server.stderr().includes('idcard serves on'));
  return replica;
}

function login({ at }: Replica, body: object = ADA): Promise<{ status: number }> {
  return ask(`${at}/v1/login`, { body });
}

/** How many guesses at Ada's password, sent at once to each of the replicas in turn, reach the hash. */
async function guessAtOnce(times: number): Promise<number> {
  const guesses = Array.from({ length: times }, (_, index) => replicas[index % replicas.length]);
  const answers = await Promise.all(
    guesses.map(async (replica) => (replica ? login(replica, WRONG) : undefined)),
  );
  const statuses = answers.map((answer) => answer?.status);
  expect(statuses.filter((status) => status !== 401 && status !== 429)).toEqual([]);
  return statuses.filter((status) => status === 401).length;
}

function eventsOf(replica: Replica, name: string): Record<string, unknown>[] {
  const lines = replica.stdout().trim().split('\n');
  return lines.map((line) => JSON.parse(line)).filter(({ event }) => String(event).startsWith(name));
}

// A replica whose machine is too busy to hear from Redis in time rightly counts alone: then once more.
describe.skipIf(lacks('redis-server'))('replicas that share their limits', { retry: 2 }, () => {
  test('let no more guesses reach the hash than one does, and a login at any of them makes none forgotten', async () => {
    redis = await startRedis();
    const one = await startReplica({ REDIS_URL: redis.url });
    const other = await startReplica({ REDIS_URL: redis.url });
    expect((await ask(`${one.at}/v1/register`, { body: ADA })).status).toBe(201);
    expect(await guessAtOnce(8)).toBe(8);
    expect((await login(other)).status).toBe(200);
    expect((await login(one)).status).toBe(200);
    expect([3, 4, 5]).toContain(await guessAtOnce(40)); // some may arrive when the first delay is over
  });

  test('serve on without Redis, each with limits of its own, and stop at once while it hangs', async () => {
    redis = await startRedis();
    const [one, other] = [
      await startReplica({ REDIS_URL: redis.url }),
      await startReplica({ REDIS_URL: redis.url }),
    ];
    expect((await ask(`${one.at}/v1/register`, { body: ADA })).status).toBe(201);
    await redis.kill('SIGSTOP');
    for (const replica of [one, other]) {
      expect((await login(replica)).status).toBe(200);
      expect((await login(replica)).status).toBe(200);
    }
    expect([22, 23, 24, 25, 26]).toContain(await guessAtOnce(60));
    for (const replica of [one, other]) {
      expect(eventsOf(replica, 'limits.')).toMatchObject([
        { event: 'limits.shared' },
        { event: 'limits.local', reason: 'ETIMEDOUT' },
      ]);
      const start = performance.now();
      expect(await replica.stop()).toBe(0);
      expect(performance.now() - start).toBeLessThan(3000);
    }
  });

  test('of several workers connect once, from the primary', async () => {
    redis = await startRedis();
    const { pid } = await startReplica({ REDIS_URL: redis.url, WORKERS: '2' });
    const single = await startReplica({ REDIS_URL: redis.url });
    const client = new Redis(redis.url);
    expect(
      String(await client.client('LIST'))
        .trim()
        .split('\n'),
    ).toHaveLength(3); // and the one that asks
    client.disconnect();
    expect(pid).not.toBe(single.pid);
    expect((await ask(`${single.at}/v1/register`, { body: ADA })).status).toBe(201);
    expect([11, 12, 13]).toContain(await guessAtOnce(40)); // some may arrive when the first delay is over
  });

  test('trust Redis over TLS only when they know who vouches for it', async () => {
    const authority = issueCertificate('authority of a test');
    const host = issueCertificate('localhost', authority);
    const file = (name: string, content: string) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const tlsPort = String(await findFreePort());
    const ca = file('ca.pem', authority.certificate);
    const certificate = [
      '--tls-cert-file',
      file('redis.pem', host.certificate),
      '--tls-key-file',
      file('redis.key', host.key),
    ];
    redis = await startRedis(
      '--tls-port',
      tlsPort,
      ...certificate,
      '--tls-auth-clients',
      'no',
      '--requirepass',
      's3cret',
    );
    const secret = file('redis-url', `rediss://:s3cret@localhost:${tlsPort}\n`);
    const trusting = await startReplica({ REDIS_URL_FILE: secret, NODE_EXTRA_CA_CERTS: ca });
    const wary = await startReplica({ REDIS_URL_FILE: secret });
    expect(eventsOf(trusting, 'limits.')).toMatchObject([{ event: 'limits.shared' }]);
    expect(eventsOf(wary, 'limits.')).toMatchObject([
      { event: 'limits.local', reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    ]);
  });
});

test('a REDIS_URL that makes no sense stops the start, and is not repeated', async () => {
  for (const WORKERS of ['1', '2']) {
    const env = { REDIS_URL: 'redis://:hunt/er2@localhost', DATA_DIR: folder, WORKERS };
    expect(await run(['serve'], { env })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'idcard: REDIS_URL must look like redis://:password@host:6379/0, or rediss:// for TLS, with %23 for # and the like in the password.\n',
    });
  }
});
