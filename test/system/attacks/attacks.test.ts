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
import { refusedByTheUser } from '../../attacks/tables/refresh-tokens.ts';
import { brokenShapes, otherKinds } from '../../attacks/tables/shapes.ts';
import {
  brokenCurveSignatures,
  brokenSignatures,
  confusedKeys,
  guessedSecrets,
  withoutAlgorithm,
} from '../../attacks/tables/signatures.ts';
import { smuggled } from '../../attacks/tables/smuggled.ts';
import { type Kind, type Target, takeAim } from '../../attacks/target.ts';
import { send, type WireRequest } from '../../attacks/wire.ts';
import { type ServerProcess, startServer } from '../../support/process.ts';

let server: ServerProcess;
let port: number;
let target: Target;
let lure: Server;
let lured = 0;
/** Every hostile token, cookie or header that was sent, however often; and every request. */
const tried = { attacks: 0, requests: 0 };

beforeAll(async () => {
  lure = createServer((_request, response) => {
    lured++;
    response.end('{"keys":[]}');
  }).listen(0, '127.0.0.1');
  await once(lure, 'listening');
  const address = lure.address();
  const lurePort = typeof address === 'object' ? address?.port : undefined;
  server = await startServer();
  port = Number(new URL(server.url).port);
  target = await takeAim(server, `http://127.0.0.1:${lurePort}/jwks.json`);
});
afterAll(async () => {
  await server.stop();
  lure.close();
});

const byHeader =
  (path: string, method: 'GET' | 'POST' = 'GET') =>
  (token: string): WireRequest => ({
    method,
    path,
    headers: [['Authorization', `Bearer ${token}`]],
  });
const byCookie =
  (name: string, path: string, method: 'GET' | 'POST' = 'GET') =>
  (token: string): WireRequest => ({
    method,
    path,
    headers: [['Cookie', `${name}=${token}`]],
  });
const byBody = (token: string): WireRequest => ({
  method: 'POST',
  path: '/v1/refresh',
  headers: [['Content-Type', 'application/json']],
  body: JSON.stringify({ refresh_token: token }),
});

/** Wherever a token of a kind is looked for. */
const places: Record<Kind, Record<string, (token: string) => WireRequest>> = {
  access: {
    'GET /v1/verify by header': byHeader('/v1/verify'),
    'GET /v1/verify by cookie': byCookie('access', '/v1/verify'),
    'GET /v1/me by header': byHeader('/v1/me'),
    'POST /v1/logout-everywhere by header': byHeader('/v1/logout-everywhere', 'POST'),
    'POST /v1/logout-everywhere by cookie': byCookie('access', '/v1/logout-everywhere', 'POST'),
  },
  refresh: {
    'POST /v1/refresh by body': byBody,
    'POST /v1/refresh by cookie': byCookie('refresh', '/v1/refresh', 'POST'),
  },
};

async function attack(request: WireRequest, outcome: Outcome, where: string): Promise<void> {
  tried.requests++;
  expectOutcome(await send(port, request), outcome, where);
}

const tables: Record<Kind, Record<string, Forgery[]>> = {
  access: {
    'without an algorithm': withoutAlgorithm('access'),
    'confused keys': confusedKeys,
    signatures: [...brokenSignatures('access'), ...brokenCurveSignatures],
    headers: hostileHeaders('access'),
    "strangers' keys": strangersKeys,
    claims: hostileClaims('access'),
    'other kinds': otherKinds.access,
    shapes: brokenShapes('access'),
  },
  refresh: {
    'without an algorithm': withoutAlgorithm('refresh'),
    'guessed secrets': guessedSecrets,
    signatures: brokenSignatures('refresh'),
    headers: hostileHeaders('refresh'),
    claims: hostileClaims('refresh'),
    'what the user refuses': refusedByTheUser,
    'other kinds': otherKinds.refresh,
    shapes: brokenShapes('refresh'),
  },
};

describe.each(['access', 'refresh'] as const)('as %s tokens', (kind) => {
  describe.each(Object.entries(tables[kind]))('%s', (_table, forgeries) => {
    test.each(forgeries)('$name is refused [$source]', async ({ make }) => {
      tried.attacks++;
      const token = make(target);
      for (const [place, put] of Object.entries(places[kind]))
        await attack(put(token), 'invalid token', place);
    });
  });

  test('what the same forge makes without a fault is accepted, so each attack fails for its own reason', async () => {
    const { lureUrl, now } = target;
    const good = [
      target.token(kind),
      target.token(kind, { nbf: now(), iat: now() }),
      target.token(kind, { aud: ['shop', 'api', server.url] }),
      target.token(kind, { exp: now() + 5, unknown: 'claim' }),
      target.token(kind, {}, { jku: lureUrl, jwk: {}, x5u: lureUrl, x5c: [] }),
    ];
    const harmless = Object.entries(places[kind]).filter(([place]) => !place.includes('everywhere'));
    for (const token of good) {
      for (const [place, put] of harmless) {
        expect((await send(port, put(token))).status, place).toBeOneOf([200, 204]);
      }
    }
  });
});

const requests: Record<string, (target: Target) => Attack[]> = {
  misplaced,
  hostileCookies,
  smuggled,
  oversized,
};

test.each(Object.entries(requests))(
  'every request of the table "%s" is refused in its way',
  async (_table, make) => {
    for (const { name, source, request, outcome } of make(target)) {
      tried.attacks++;
      await attack(request, outcome, `${name} [${source}]`);
    }
  },
);

describe('after all of it', () => {
  test('at least 300 attacks were tried, and over a thousand requests', () => {
    expect(tried.attacks).toBeGreaterThanOrEqual(300);
    expect(tried.requests).toBeGreaterThan(1000);
    console.info(`${tried.attacks} attacks in ${tried.requests} requests, none accepted`);
  });

  test('no token made the server call anybody', () => {
    expect(lured).toBe(0);
  });

  test('nothing failed in the server', () => {
    expect(server.stdout()).not.toContain('request.failed');
    expect(server.stdout()).toContain('"event":"login.succeeded"');
    expect(server.stderr().trim().split('\n')).toHaveLength(7); // the greeting
  });

  test('nobody was logged out, and the own tokens of the user work', async () => {
    expect(server.stdout()).not.toContain('"event":"logout');
    const { real } = target;
    for (const [put, token] of [
      [byHeader('/v1/me'), real.access],
      [byCookie('access', '/v1/me'), real['access cookie']],
      [byBody, real.refresh],
      [byCookie('refresh', '/v1/refresh', 'POST'), real['refresh cookie']],
    ] as const) {
      expect((await send(port, put(token))).status).toBeOneOf([200, 204]);
    }
  });
});
