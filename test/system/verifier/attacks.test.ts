import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Forgery } from '../../attacks/forgery.ts';
import { type Attack, expectOutcome, type Outcome } from '../../attacks/outcome.ts';
import { hostileClaims } from '../../attacks/tables/claims.ts';
import { hostileCookies } from '../../attacks/tables/cookies.ts';
import { hostileHeaders, strangersKeys } from '../../attacks/tables/headers.ts';
import { misplaced } from '../../attacks/tables/misplaced.ts';
import { oversized } from '../../attacks/tables/oversized.ts';
import { brokenShapes, otherKinds } from '../../attacks/tables/shapes.ts';
import {
  brokenCurveSignatures,
  brokenSignatures,
  confusedKeys,
  withoutAlgorithm,
} from '../../attacks/tables/signatures.ts';
import { smuggled } from '../../attacks/tables/smuggled.ts';
import { type Target, takeAim } from '../../attacks/target.ts';
import { send, type WireRequest } from '../../attacks/wire.ts';
import { findFreePort, type ServerProcess, startServer } from '../../support/process.ts';
import { createService, type Service } from '../../verifier/service.ts';

let issuer: ServerProcess;
let service: Service;
let port: number;
let target: Target;
let lure: Server;
let lured = 0;
const tried = { attacks: 0, requests: 0 };

beforeAll(async () => {
  lure = createServer((_request, response) => {
    lured++;
    response.end('{"keys":[]}');
  }).listen(0, '127.0.0.1');
  await once(lure, 'listening');
  const address = lure.address();
  const lurePort = typeof address === 'object' ? address?.port : undefined;
  issuer = await startServer();
  target = await takeAim(issuer, `http://127.0.0.1:${lurePort}/jwks.json`);
  port = await findFreePort();
  service = await createService({
    issuer: issuer.url,
    audience: 'api',
    publicUrl: `http://127.0.0.1:${port}`,
  });
  await service.app.listen({ host: '127.0.0.1', port });
});
afterAll(async () => {
  await service.app.close();
  await issuer.stop();
  lure.close();
});

/** Wherever the service looks for a token: before the body is read, and behind. */
const places: Record<string, (token: string) => WireRequest> = {
  'GET by header': (token) => ({ path: '/v1/me', headers: [['Authorization', `Bearer ${token}`]] }),
  'GET by cookie': (token) => ({ path: '/v1/verify', headers: [['Cookie', `access=${token}`]] }),
  'POST by header': (token) => ({
    method: 'POST',
    path: '/v1/logout-everywhere',
    headers: [['Authorization', `Bearer ${token}`]],
  }),
};

const tables: Record<string, Forgery[]> = {
  'without an algorithm': withoutAlgorithm('access'),
  'confused keys': confusedKeys,
  signatures: [...brokenSignatures('access'), ...brokenCurveSignatures],
  headers: hostileHeaders('access'),
  "strangers' keys": strangersKeys,
  claims: hostileClaims('access'),
  'other kinds': otherKinds.access,
  shapes: brokenShapes('access'),
};

describe.each(Object.entries(tables))('%s', (_table, forgeries) => {
  test.each(forgeries)('$name is refused [$source]', async ({ make }) => {
    tried.attacks++;
    const token = make(target);
    for (const [place, put] of Object.entries(places)) {
      tried.requests++;
      // It may wait for the issuer, who is asked about an unknown kid.
      expectOutcome(await send(port, put(token), 'left open'), 'invalid token', place);
    }
  });
});

/** What the plugin answers; the rest is between a client and the service or Node.js. */
const OURS: ReadonlySet<Outcome> = new Set<Outcome>([
  'invalid token',
  'invalid token, of DPoP',
  'invalid proof',
  'login required',
  'several credentials',
  'cross-site',
]);
const requests: Record<string, (target: Target) => Attack[]> = {
  misplaced,
  hostileCookies,
  smuggled,
  oversized,
};

test.each(Object.entries(requests))('every request of the table "%s" is refused', async (_table, make) => {
  // The service takes no refresh tokens.
  const attacks = make(target).filter(({ request }) => !request.path.startsWith('/v1/refresh'));
  expect(attacks.length).toBeGreaterThan(5);
  for (const { name, source, request, outcome } of attacks) {
    tried.attacks++;
    tried.requests++;
    const answer = await send(port, request);
    const where = `${name} [${source}]`;
    if (OURS.has(outcome)) expectOutcome(answer, outcome, where);
    else expect.soft(answer.status, where).toSatisfy((status: number) => status >= 400 && status < 500);
  }
});

test('what the same forge makes without a fault is accepted, so each attack fails for its own reason', async () => {
  const { lureUrl, now, token } = target;
  for (const good of [
    token('access'),
    token('access', { nbf: now(), iat: now() }),
    token('access', { aud: ['shop', 'api', issuer.url] }),
    token('access', { exp: now() + 5, unknown: 'claim' }),
    token('access', {}, { jku: lureUrl, jwk: {}, x5u: lureUrl, x5c: [] }),
    target.real.access,
    target.real['access cookie'],
  ]) {
    for (const [place, put] of Object.entries(places))
      expect((await send(port, put(good))).status, place).toBe(200);
  }
});

test('after at least 300 attacks nobody was called, and nothing failed in the service', () => {
  expect(tried.attacks).toBeGreaterThanOrEqual(300);
  expect(lured).toBe(0);
  expect(service.logLines().filter(({ level }) => Number(level) >= 40)).toEqual([]);
  console.info(`${tried.attacks} attacks in ${tried.requests} requests, none accepted`);
});
