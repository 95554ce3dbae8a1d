import { generateKeyPairSync } from 'node:crypto';
import { test as base, describe, expect } from 'vitest';
import { sha256 } from '../../src/base/digest.ts';
import type { IdcardOptions } from '../../src/verifier/index.ts';
import { bearer } from '../support/app.ts';
import { forge, hmac } from '../support/forge.ts';
import { type FakeIssuer, now, startFakeIssuer } from './fake-issuer.ts';
import { createService, type Service } from './service.ts';

/** An issuer for each test, with the services that it starts: most wait for a poll, side by side. */
const test = base
  .extend('issuer', async ({ task: _task }, { onCleanup }) => {
    const issuer = await startFakeIssuer();
    onCleanup(issuer.close);
    return issuer;
  })
  // The service's clock; it stands still where a test does not move it.
  .extend('time', async () => ({ now: now() }))
  .extend('start', async ({ issuer, time }, { onCleanup }) => {
    const services: Service[] = [];
    onCleanup(async () => {
      for (const { app } of services) await app.close();
    });
    return async (options: Partial<IdcardOptions> = {}) => {
      const clock = () => time.now;
      const service = await createService({ issuer: issuer.url, audience: 'api', clock, ...options });
      services.push(service);
      await service.app.ready();
      return service;
    };
  })
  .extend(
    'ask',
    async ({ issuer }) =>
      async ({ app }: Service, token = issuer.token()) =>
        (await app.inject({ url: '/v1/me', headers: bearer(token) })).statusCode,
  );

const rsa = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
const ed = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const p384 = () => generateKeyPairSync('ec', { namedCurve: 'P-384' });

/** JWK Sets in which the key named "one" is none to verify with. */
const hostileSets: Record<string, (issuer: FakeIssuer) => unknown> = {
  'a secret': () => ({ keys: [{ kty: 'oct', kid: 'one', k: 'c2VjcmV0' }] }),
  'the key with a private half': ({ jwk }) => ({ keys: [{ ...jwk, d: jwk.x }] }),
  'the key with a secret in it': ({ jwk }) => ({ keys: [{ ...jwk, k: jwk.x }] }),
  'the key for encryption': ({ jwk }) => ({ keys: [{ ...jwk, use: 'enc' }] }),
  'the key to sign with': ({ jwk }) => ({ keys: [{ ...jwk, key_ops: ['sign'] }] }),
  'the key of HS256': ({ jwk }) => ({ keys: [{ ...jwk, alg: 'HS256' }] }),
  'the key of none': ({ jwk }) => ({ keys: [{ ...jwk, alg: 'none' }] }),
  'the key of another algorithm': ({ jwk }) => ({ keys: [{ ...jwk, alg: 'ES384' }] }),
  'the key without a name': ({ jwk }) => ({ keys: [{ ...jwk, kid: undefined }] }),
  'the key with a number for a name': ({ jwk }) => ({ keys: [{ ...jwk, kid: 1 }] }),
  'the key on another curve': ({ jwk }) => ({ keys: [{ ...jwk, crv: 'P-384' }] }),
  'a key on another curve': () => ({ keys: [{ ...p384().publicKey.export({ format: 'jwk' }), kid: 'one' }] }),
  'a point that is not on the curve': ({ jwk }) => ({ keys: [{ ...jwk, y: jwk.x }] }),
  'RSA of 1024 bits': () => ({ keys: [{ ...rsa(1024), kid: 'one' }] }),
  'RSA for PS256': () => ({ keys: [{ ...rsa(2048), kid: 'one', alg: 'PS256' }] }),
  'the key twice': ({ jwk }) => ({ keys: [jwk, { ...ed(), kid: 'one' }] }),
  'ten thousand keys': ({ jwk }) => ({ keys: Array.from({ length: 10_000 }, () => jwk) }),
  'a hundred and one keys': ({ jwk }) => ({ keys: Array.from({ length: 101 }, () => jwk) }),
  'a megabyte': ({ jwk }) => ({ keys: [jwk], more: 'x'.repeat(1_048_576) }),
  'no keys': () => ({ keys: [] }),
  'a list': ({ jwk }) => [jwk],
  null: () => null,
  'a prototype': ({ jwk }) => JSON.parse(`{"__proto__":{"keys":[${JSON.stringify(jwk)}]}}`),
};

/** Answers that are no JWK Set. */
const hostileAnswers: Record<string, (issuer: FakeIssuer) => FakeIssuer['answers']['keys']> = {
  HTML: ({ json, jwk }) => json({ keys: [jwk] }, { 'content-type': 'text/html' }),
  'no media type':
    ({ jwk }) =>
    (_request, response) =>
      response.end(JSON.stringify({ keys: [jwk] })),
  'a redirect': () => (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  'a permanent redirect': () => (_request, response) =>
    response.writeHead(308, { location: '/elsewhere' }).end(),
  'not found':
    ({ jwk }) =>
    (_request, response) =>
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] })),
  'an error': () => (_request, response) => response.writeHead(500).end(),
  'not modified': () => (_request, response) => response.writeHead(304).end(),
  'half of it': () => (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":['),
  'a broken connection': () => (request) => request.socket.destroy(),
  'a body that never ends': () => (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 100);
    response.on('close', () => clearInterval(timer));
  },
  'no answer': () => () => undefined,
  'a stream without end': () => (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  },
};

describe('a key is only ever what the issuer publishes as one', () => {
  test('the key as it should be is taken, and passes for all others of this table', async ({
    start,
    ask,
  }) => {
    expect(await ask(await start())).toBe(200);
  });

  test.for(Object.entries(hostileSets))(
    '%s is no key, and every token is 503',
    async ([, make], { issuer, start, ask }) => {
      issuer.answers.keys = issuer.json(make(issuer));
      const running = await start();
      expect(running.app.idcard.state().keys).toBe('missing');
      expect(await ask(running)).toBe(503);
    },
  );

  test('a key has one algorithm, whatever a token says', async ({ issuer, start, ask }) => {
    issuer.answers.keys = issuer.json({ keys: [issuer.jwk, { ...ed(), kid: 'two' }] });
    const running = await start();
    expect(await ask(running, issuer.token({}, { kid: 'two' }))).toBe(401);
    expect(await ask(running, issuer.token({}, { alg: 'EdDSA' }))).toBe(401);
    for (const secret of [String(issuer.jwk.x), JSON.stringify(issuer.jwk)]) {
      const [, payload] = issuer.token().split('.');
      const claims = JSON.parse(Buffer.from(String(payload), 'base64url').toString());
      const header = { alg: 'HS256', typ: 'at+jwt', kid: 'one' };
      expect(await ask(running, forge(header, claims, hmac(secret)))).toBe(401);
    }
  });

  test.for(Object.entries(hostileAnswers))(
    '%s: the service starts, and is 503',
    async ([, make], { issuer, start, ask }) => {
      issuer.answers.keys = make(issuer);
      const running = await start();
      expect(running.app.idcard.state()).toEqual({ keys: 'missing', revocations: 'stale' });
      expect(await ask(running)).toBe(503);
      expect(issuer.asked.elsewhere).toBe(0);
    },
  );

  test('keys beside it that are of no use here do no harm', async ({ issuer, start, ask }) => {
    const keys = [
      { ...ed(), kid: 'two' },
      { ...rsa(2048), kid: 'three' },
      { kty: 'oct', kid: 'x', k: 'eA' },
      7,
      issuer.jwk,
    ];
    issuer.answers.keys = issuer.json(
      { keys },
      { 'content-type': 'application/jwk-set+json; charset=utf-8' },
    );
    expect(await ask(await start())).toBe(200);
  });
});

describe('an unknown kid', () => {
  test('costs the issuer one question in five seconds, however many there are', async ({
    issuer,
    time,
    start,
    ask,
  }) => {
    const running = await start({ revocationPollSeconds: 60 });
    expect(issuer.asked.keys).toBe(1);
    const flood = async (count: number) => {
      const tokens = Array.from({ length: count }, (_, index) =>
        issuer.token({}, { kid: `unknown ${index}` }),
      );
      const statuses = await Promise.all(tokens.map((token) => ask(running, token)));
      expect(new Set(statuses)).toEqual(new Set([401]));
    };
    await flood(200);
    expect(issuer.asked.keys).toBe(1); // the keys were fetched just now
    time.now += 5;
    await flood(200);
    await flood(200);
    expect(issuer.asked.keys).toBe(2);
    time.now += 5;
    await flood(1);
    expect(issuer.asked.keys).toBe(3);
    expect(await ask(running)).toBe(200);
  });

  test('of a key that was published since is found by the request that needs it', async ({
    issuer,
    time,
    start,
    ask,
  }) => {
    const usual = issuer.answers.keys;
    issuer.answers.keys = issuer.json({ keys: [{ ...issuer.jwk, kid: 'old' }] });
    const running = await start({ revocationPollSeconds: 60 });
    issuer.answers.keys = usual;
    time.now += 5;
    expect(await ask(running)).toBe(200);
  });

  test('is 503 while the issuer is away, since the token may be good', async ({
    issuer,
    time,
    start,
    ask,
  }) => {
    const running = await start({ revocationPollSeconds: 60 });
    issuer.close();
    time.now += 5;
    const url = '/v1/me';
    const response = await running.app.inject({ url, headers: bearer(issuer.token({}, { kid: 'new' })) });
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '5']);
    expect(response.json()).toMatchObject({ type: 'urn:idcard:problem:issuer-unavailable' });
    expect(await ask(running)).toBe(200);
    expect(await ask(running, 'no.token.at-all')).toBe(401);
    expect((await running.app.inject(url)).statusCode).toBe(401);
  });
});

/* Tests that run side by side have an `expect` of their own, which knows whose it is. */

describe.concurrent('keys', () => {
  test('that the issuer does not confirm any more are used for an hour, and not a second longer', async ({
    expect,
    issuer,
    time,
    start,
    ask,
  }) => {
    const running = await start({ revocationPollSeconds: 60 });
    issuer.close();
    const token = issuer.token({ exp: time.now + 86_400 });
    time.now += 3599;
    expect(await ask(running, token)).toBe(200);
    time.now += 1;
    expect(await ask(running, token)).toBe(503); // a token that is remembered too
    expect(running.app.idcard.state().keys).toBe('missing');
  });

  test('that the issuer took back are refused, with every token that is remembered', async ({
    expect,
    issuer,
    time,
    start,
    ask,
  }) => {
    const running = await start({ revocationPollSeconds: 1 });
    expect(await ask(running)).toBe(200);
    const token = issuer.token();
    expect(await ask(running, token)).toBe(200);
    issuer.answers.keys = issuer.json({
      keys: [{ ...issuer.jwk, ...ed(), kid: 'two', kty: 'OKP', alg: 'EdDSA', crv: 'Ed25519', y: undefined }],
    });
    time.now += 300; // max-age, when the issuer says none
    await expect.poll(() => ask(running, token), { timeout: 15_000 }).toBe(401);
  });

  test('that a cache on the way had for a while are asked for again the sooner', async ({
    expect,
    issuer,
    time,
    start,
  }) => {
    const headers = { 'cache-control': 'public, max-age=100', age: '60' };
    issuer.answers.keys = (request, response) => {
      expect(request.headers['cache-control']).toBe('no-cache');
      issuer.json({ keys: [issuer.jwk] }, headers)(request, response);
    };
    await start({ revocationPollSeconds: 1 });
    expect(issuer.asked.keys).toBe(1);
    time.now += 39;
    await expect.poll(() => issuer.asked.keys, { timeout: 15_000 }).toBe(2);
    headers.age = '100'; // not fresh any more
    time.now += 39;
    await expect.poll(() => issuer.asked.keys, { timeout: 15_000 }).toBeGreaterThan(4);
  });

  test('whose answer was long on its way are as much older', async ({ expect, issuer, time, start }) => {
    const answer = issuer.json({ keys: [issuer.jwk] }, { 'cache-control': 'public, max-age=100' });
    issuer.answers.keys = (request, response) => {
      time.now += 50;
      answer(request, response);
    };
    await start({ revocationPollSeconds: 1 });
    time.now += 46;
    await expect.poll(() => issuer.asked.keys, { timeout: 15_000 }).toBe(2);
  });

  test('are asked for again before their max-age is over', async ({ expect, issuer, time, start }) => {
    issuer.answers.keys = issuer.json({ keys: [issuer.jwk] }, { 'cache-control': 'public, max-age=100' });
    await start({ revocationPollSeconds: 1 });
    time.now += 74;
    const { revocations } = issuer.asked;
    await expect.poll(() => issuer.asked.revocations, { timeout: 15_000 }).toBeGreaterThan(revocations + 1);
    expect(issuer.asked.keys).toBe(1);
    time.now += 22;
    await expect.poll(() => issuer.asked.keys, { timeout: 15_000 }).toBe(2);
  });
});

describe.concurrent('the list of revocations', () => {
  const SUB = '019a5b3c-7e1d-7c44-9f0a-3b2c1d0e9f8a'; // of the tokens that are forged here
  const revoked = { [sha256(SUB)]: 2 };

  const badLists: Record<string, (issuer: FakeIssuer, time: { now: number }) => string> = {
    'of another issuer': ({ listOf }) => listOf({}, { iss: 'https://evil.example' }),
    'for another audience': ({ listOf }) => listOf({}, { aud: 'shop' }),
    'that has expired': ({ listOf }, time) => listOf({}, { exp: time.now }),
    'from the future': ({ listOf }, time) => listOf({}, { iat: time.now + 60 }),
    'that is over 20 s old': ({ listOf }, time) => listOf({}, { iat: time.now - 21 }),
    'of the version before that is over a minute old': ({ listOf }, time) =>
      listOf({}, { aud: 'api', iat: time.now - 61 }),
    'of an unknown key': ({ listOf }) => listOf({}, {}, { kid: 'two' }),
    'without an algorithm': ({ listOf }) => listOf({}, {}, { alg: 'none' }),
    'that is an access token': ({ token }) => token(),
    'that says at+jwt': ({ listOf }) => listOf({}, {}, { typ: 'at+jwt' }),
    'without its claim': ({ listOf }) => listOf({}, { revocations: undefined }),
    'with a text for a version': ({ listOf }) => listOf({ [SUB]: 'all' }),
    'with a version below 0': ({ listOf }) => listOf({ [SUB]: -1 }),
    'with a version that is no whole number': ({ listOf }) => listOf({ [SUB]: 1.5 }),
    'that is an array': ({ listOf }) => listOf([2]),
    'that is a text': ({ listOf }) => listOf({}, { revocations: 'none' }),
    'that is null': ({ listOf }) => listOf({}, { revocations: null }),
    'with a text for not_before': ({ listOf }) => listOf({}, { not_before: 'now' }),
    'with a changed signature': ({ listOf }) => `${listOf({}).slice(0, -8)}AAAAAAAA`,
    'that is no JWT': () => 'nothing was revoked',
    'of five megabytes': ({ listOf }) => listOf({}, { more: 'x'.repeat(5_242_880) }),
  };
  test.for(Object.entries(badLists))(
    '%s changes nothing, and is told',
    async ([, make], { expect, issuer, time, start, ask }) => {
      issuer.answers.revocations = issuer.jwt(issuer.listOf(revoked));
      const running = await start({ revocationPollSeconds: 1 });
      expect(running.app.idcard.state()).toEqual({ keys: 'current', revocations: 'current' });
      expect(await ask(running)).toBe(401);
      issuer.answers.revocations = issuer.jwt(make(issuer, time));
      await expect.poll(() => running.app.idcard.state().revocations, { timeout: 15_000 }).toBe('stale');
      expect(await ask(running)).toBe(401);
      expect(await ask(running, issuer.token({ ver: 2 }))).toBe(200);
      expect(running.logLines().filter(({ event }) => event === 'idcard.revocations.stale')).toHaveLength(1);

      issuer.answers.revocations = (...args) => issuer.jwt(issuer.listOf(revoked))(...args);
      await expect.poll(() => running.app.idcard.state().revocations, { timeout: 15_000 }).toBe('current');
      expect(running.logLines().filter(({ event }) => event === 'idcard.revocations.current')).toHaveLength(
        1,
      );
    },
  );

  test('of a server of the version before, with the audience of access tokens, is read', async ({
    expect,
    issuer,
    start,
    ask,
  }) => {
    issuer.answers.revocations = issuer.jwt(issuer.listOf(revoked, { aud: 'api' }));
    const running = await start();
    expect(running.app.idcard.state().revocations).toBe('current');
    expect(await ask(running)).toBe(401);
  });

  test('that was rolled back takes nothing back', async ({ expect, issuer, time, start, ask }) => {
    issuer.answers.revocations = issuer.jwt(issuer.listOf(revoked));
    const running = await start({ revocationPollSeconds: 1 });
    issuer.answers.revocations = issuer.jwt(issuer.listOf({}, { iat: time.now - 10, exp: time.now + 290 }));
    const { revocations } = issuer.asked;
    await expect.poll(() => issuer.asked.revocations, { timeout: 15_000 }).toBeGreaterThan(revocations + 1);
    expect(running.app.idcard.state().revocations).toBe('current');
    expect(await ask(running)).toBe(401);
  });

  test('is asked for with its ETag, and one that is not modified for over 20 s is stale', async ({
    expect,
    issuer,
    time,
    start,
  }) => {
    const list = issuer.listOf(revoked);
    issuer.answers.revocations = (request, response) => {
      expect(request.headers['cache-control']).toBe('no-cache');
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304, { etag: '"1"' }).end();
      else issuer.jwt(list, { etag: '"1"' })(request, response);
    };
    const running = await start({ revocationPollSeconds: 1 });
    const { revocations } = issuer.asked;
    await expect.poll(() => issuer.asked.revocations, { timeout: 15_000 }).toBeGreaterThan(revocations + 1);
    expect(running.app.idcard.state().revocations).toBe('current');
    time.now += 19;
    const later = issuer.asked.revocations;
    await expect.poll(() => issuer.asked.revocations, { timeout: 15_000 }).toBeGreaterThan(later + 1);
    expect(running.app.idcard.state().revocations).toBe('current');
    time.now += 3; // the list may have been signed a second later than this clock says
    await expect.poll(() => running.app.idcard.state().revocations, { timeout: 15_000 }).toBe('stale');
  });

  test('voids every token that was issued up to not_before, one that is remembered too, and no later list takes that back', async ({
    expect,
    issuer,
    time,
    start,
    ask,
  }) => {
    const running = await start({ revocationPollSeconds: 1 });
    const [old, young] = [issuer.token({ iat: time.now - 60 }), issuer.token({ iat: time.now - 59 })];
    expect([await ask(running, old), await ask(running, young)]).toEqual([200, 200]);
    issuer.answers.revocations = issuer.jwt(issuer.listOf({}, { not_before: time.now - 60 }));
    await expect.poll(() => ask(running, old), { timeout: 15_000 }).toBe(401);
    expect(await ask(running, young)).toBe(200);
    for (const claims of [{}, { not_before: time.now - 100 }]) {
      issuer.answers.revocations = issuer.jwt(issuer.listOf({}, claims));
      const { revocations } = issuer.asked;
      await expect.poll(() => issuer.asked.revocations, { timeout: 15_000 }).toBeGreaterThan(revocations + 1);
      expect(running.app.idcard.state().revocations).toBe('current');
      expect([await ask(running, old), await ask(running, young)]).toEqual([401, 200]);
    }
  });

  test('that is too large is told with the reason, from the start of the service on', {
    concurrent: false,
  }, async ({ expect, issuer, start }) => {
    issuer.answers.revocations = issuer.jwt(issuer.listOf({}, { more: 'x'.repeat(5_242_880) }));
    const running = await start();
    expect(running.app.idcard.state()).toEqual({ keys: 'current', revocations: 'stale' });
    expect(running.logLines()).toContainEqual(
      expect.objectContaining({
        level: 40,
        event: 'idcard.revocations.stale',
        err: expect.objectContaining({
          message: `${issuer.url}/.well-known/revocations answered more than 4194304 bytes`,
        }),
      }),
    );
  });

  test('of fifty thousand users is read', { concurrent: false }, async ({
    expect,
    issuer,
    time,
    start,
    ask,
  }) => {
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [sha256(String(index)), 2]));
    issuer.answers.revocations = issuer.jwt(issuer.listOf({ ...many, ...revoked }));
    const running = await start();
    expect(running.app.idcard.state().revocations).toBe('current');
    expect(await ask(running)).toBe(401);
    expect(await ask(running, issuer.token({ sub: '49999' }))).toBe(401);
    expect(await ask(running, issuer.token({ sub: '50000', iat: time.now }))).toBe(200);
  });
});

test('a service that is closed asks nobody any more, and says nothing about it', async ({
  issuer,
  start,
}) => {
  issuer.answers.revocations = () => undefined; // under way for as long as it is not given up
  const running = await start({ revocationPollSeconds: 1 });
  const lines = running.logLines().length;
  const { revocations } = issuer.asked;
  await expect.poll(() => issuer.asked.revocations, { timeout: 15_000 }).toBeGreaterThan(revocations);
  const asked = { ...issuer.asked };
  await running.app.close();
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect(issuer.asked).toEqual(asked);
  expect(
    running
      .logLines()
      .slice(lines)
      .filter(({ event }) => event),
  ).toEqual([]);
});
