import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/base/digest.ts';
import { Problem } from '../../src/problems/problem.ts';
import { createIssuer, type Issuer } from '../../src/verifier/issuer.ts';
import { KeyNotFetched } from '../../src/verifier/issuer-keys.ts';
import { readOptions } from '../../src/verifier/options.ts';
import { type FakeIssuer, now, startFakeIssuer } from './fake-issuer.ts';

/* What a service believes of time; it asks its issuer when a test says so. */

const SUB = '019a5b3c-7e1d-7c44-9f0a-3b2c1d0e9f8a'; // of the tokens that are forged here
const revoked = { [sha256(SUB)]: 2 };
const DAY = 86_400;
const START = now();

let server: FakeIssuer;
let issuer: Issuer;
const time = { now: START };
const closing = new AbortController();

beforeEach(async () => {
  server = await startFakeIssuer();
  time.now = START;
  const options = readOptions({ issuer: server.url, audience: 'api', clock: () => time.now });
  issuer = createIssuer(options, Fastify().log, closing.signal);
});
afterEach(() => server.close());

/** What the list says from now on, by a clock that is right. */
function publish(revocations: object, claims: object = {}, etag?: string): void {
  const list = server.listOf(revocations, { iat: START, exp: START + 300, ...claims });
  server.answers.revocations = (request, response) => {
    if (etag !== undefined && request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else server.jwt(list, etag === undefined ? {} : { etag })(request, response);
  };
}
async function askAt(second: number): Promise<void> {
  time.now = START + second;
  await issuer.ask();
}
function verify(token: string): string {
  try {
    issuer.verifyAccess(token);
    return 'good';
  } catch (error) {
    if (error instanceof Problem) return error.message;
    if (error instanceof KeyNotFetched) return error.name;
    throw error;
  }
}
const tokenOf = (seconds: number, claims: object = {}) =>
  server.token({ iat: START, exp: START + seconds, ...claims });
const EXPIRED = 'The token has expired.';
const REVOKED = 'The token has been revoked; log in again.';

describe('the lifetime that the list tells', () => {
  test('ends tokens that were made to live longer, remembered or not', async () => {
    publish({}, { access_token_ttl: 10 });
    await askAt(0);
    const [seen, unseen] = [tokenOf(3600), tokenOf(3600)];
    expect(verify(seen)).toBe('good');
    time.now = START + 9;
    expect(verify(seen)).toBe('good');
    time.now = START + 10;
    expect([verify(seen), verify(unseen)]).toEqual([EXPIRED, EXPIRED]);
  });

  test('ends those that were remembered before it was told, or became shorter', async () => {
    publish({});
    await askAt(0);
    const token = tokenOf(3600);
    time.now = START + 20;
    expect(verify(token)).toBe('good');
    publish({}, { access_token_ttl: 30, iat: START + 20 });
    await askAt(20);
    expect(verify(token)).toBe('good');
    publish({}, { access_token_ttl: 20, iat: START + 21 });
    await askAt(21);
    expect(verify(token)).toBe(EXPIRED);
  });

  test('may become longer again, and then a revoked token is still refused', async () => {
    publish(revoked, { access_token_ttl: 10, exp: START + 10 });
    await askAt(0);
    const token = tokenOf(3600);
    expect(verify(token)).toBe(REVOKED);
    // The other replica of a rollout: the same entry, for an hour; and then its list does not change.
    publish(revoked, { access_token_ttl: 3600, exp: START + 3600 }, '"hour"');
    for (let second = 5; second < 60; second += 5) {
      await askAt(second);
      expect(verify(token)).toBe(REVOKED);
    }
  });

  test('is not forgotten for a list of an older server, which says nothing', async () => {
    publish({}, { access_token_ttl: 10 });
    await askAt(0);
    publish({});
    await askAt(10);
    expect(verify(tokenOf(3600))).toBe(EXPIRED);
  });

  test('is not learnt from an old list that a cache repeats: what was revoked and is forgotten stays void', async () => {
    const before = { access_token_ttl: 3600, exp: START + 3600 };
    publish({}, before);
    await askAt(0);
    const token = tokenOf(3600);
    expect(verify(token)).toBe('good');
    for (const [second, list] of [
      [30, revoked],
      [200, {}],
    ] as const) {
      publish(list, { access_token_ttl: 10, iat: START + second, exp: START + second + 10 });
      await askAt(second);
      expect(verify(token)).toBe(EXPIRED);
    }
    publish({}, before);
    for (const second of [202, 204]) {
      await askAt(second);
      expect([verify(token), issuer.state().revocations]).toEqual([EXPIRED, 'stale']);
    }
  });

  test('is not asked of a server that never said one: the exp counts', async () => {
    publish({});
    await askAt(0);
    time.now = START + 999;
    expect(verify(tokenOf(1000))).toBe('good');
    time.now = START + 1000;
    expect(verify(tokenOf(1000))).toBe(EXPIRED);
  });

  test.each(['ten', -1, 1.5, null])('%j is none: the list is refused', async (access_token_ttl) => {
    publish({}, { access_token_ttl });
    await askAt(0);
    expect(issuer.state().revocations).toBe('stale');
  });
});

describe('a clock that was ahead and is right again', () => {
  const leaps: Record<string, number[]> = {
    'for one poll': [DAY],
    'for three polls': [DAY, DAY + 2, DAY + 4],
    'again and again': [DAY, 0, 2 * DAY, 0, DAY],
  };
  test.each(Object.entries(leaps))(
    '%s makes no revocation forgotten, though the list is unchanged',
    async (_name, seconds) => {
      publish(revoked, {}, '"unchanged"');
      const token = tokenOf(300);
      await askAt(0);
      for (const second of seconds) {
        // Then the issuer's clock is behind, and keys and lists are too old.
        await askAt(second);
      }
      for (let second = 1; second < 20; second += 2) {
        await askAt(second);
        expect(verify(token)).toBe(REVOKED);
      }
      expect(issuer.state()).toEqual({ keys: 'current', revocations: 'current' });
    },
  );

  test('when both are ahead together makes none forgotten either', async () => {
    publish(revoked, {}, '"now"');
    await askAt(0);
    publish({}, { iat: START + DAY, exp: START + DAY + 300 }, '"ahead"');
    for (const second of [DAY, DAY + 2]) await askAt(second);
    publish(revoked, {}, '"now"');
    await askAt(4);
    expect(verify(tokenOf(300))).toBe(REVOKED);
  });

  test('does not make keys good for longer than they are', async () => {
    publish({});
    await askAt(DAY);
    server.close();
    await askAt(0);
    expect([verify(tokenOf(300)), issuer.state().keys]).toEqual([
      expect.stringContaining('cannot be fetched'),
      'missing',
    ]);
  });
});
