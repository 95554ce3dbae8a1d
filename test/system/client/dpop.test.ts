import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/base/digest.ts';
import {
  bearer,
  type Client,
  createClient,
  dpop,
  keyValueStorage,
  memoryStorage,
  type StoredLogin,
} from '../../../src/client/index.ts';
import { ADA, decode } from '../../support/app.ts';
import { type Gate, openGate } from './gate.ts';

let gate: Gate;
let storage = memoryStorage();
let client: Client;

beforeAll(async () => {
  gate = await openGate();
  await createClient({ url: gate.url, transport: dpop() }).register(ADA);
});
afterAll(() => gate.close());
beforeEach(async () => {
  gate.reset();
  storage = memoryStorage();
  client = createClient({ url: gate.url, transport: dpop(storage) });
  await client.login(ADA);
});

type BoundLogin = StoredLogin & { [part in 'tokens' | 'key']: NonNullable<StoredLogin[part]> };

async function stored(): Promise<BoundLogin> {
  const { tokens, key, ...rest } = (await storage.get()) ?? {};
  if (!tokens || !key) throw new Error('There is no bound login.');
  return { id: '', edition: '', ...rest, tokens, key };
}

/** Makes the client believe that the token is over. */
async function age(): Promise<void> {
  const { tokens, ...rest } = await stored();
  await storage.set({ ...rest, edition: `aged ${rest.edition}`, tokens: { ...tokens, receivedAtMs: 0 } });
}

function proofs(path: string): string[] {
  return gate.passages.filter((passage) => passage.path === path).map(({ headers }) => String(headers.dpop));
}

test('a login is bound to a key that cannot be extracted', async () => {
  const { tokens, key } = await stored();
  expect(tokens.token_type).toBe('DPoP');
  const jkt = await calculateJwkThumbprint(key.jwk);
  expect(decode(tokens.access_token).cnf).toEqual({ jkt });
  expect(decode(tokens.refresh_token).cnf).toEqual({ jkt });
  await expect(crypto.subtle.exportKey('jwk', key.privateKey)).rejects.toThrow('not extractable');
  await expect(crypto.subtle.exportKey('pkcs8', key.privateKey)).rejects.toThrow('not extractable');
});

test('each login has a key of its own, and none is left after the logout', async () => {
  const first = await stored();
  await client.login(ADA);
  expect((await stored()).key.jwk).not.toEqual(first.key.jwk);
  await client.logout();
  expect(await storage.get()).toEqual({ id: '', edition: '', device: expect.any(String) });
});

test('a proof is what RFC 9449 says, to an independent reader', async () => {
  await client.fetch(`${gate.url}/v1/verify?max_age=300#part`);
  const { tokens, key } = await stored();
  const proof = proofs('/v1/verify?max_age=300').at(-1) ?? '';
  const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'] });
  expect(decodeProtectedHeader(proof)).toEqual({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk });
  expect(Object.keys(key.jwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
  expect(payload).toEqual({
    jti: expect.stringMatching(/^[\w-]{22}$/),
    htm: 'GET',
    htu: `${gate.url}/v1/verify`,
    iat: expect.closeTo(Date.now() / 1000, -2),
    ath: sha256(tokens.access_token),
    nonce: expect.any(String),
  });
});

test('a hundred callers renew once, and the new tokens are bound to the same key', async () => {
  const before = await stored();
  const count = await gate.refreshes();
  await age();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => client.fetch(`${gate.url}/v1/me`, { method: 'GET' })),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
  expect((await gate.refreshes()) - count).toBe(1);
  const after = await stored();
  expect(after.tokens.access_token).not.toBe(before.tokens.access_token);
  expect(decode(after.tokens.refresh_token).cnf).toEqual(decode(before.tokens.refresh_token).cnf);
});

test('the other ways to new tokens keep the key: a change of the password', async () => {
  const next = 'four quiet lamps in Oslo';
  const { key } = await stored();
  await client.changePassword({ current_password: ADA.password, new_password: next });
  expect((await stored()).key).toBe(key);
  await client.changePassword({ current_password: next, new_password: ADA.password });
  expect(await client.user()).toMatchObject({ email: ADA.email });
});

test('a storage of text is refused: a key that cannot be extracted is no text', () => {
  const text = keyValueStorage({
    getItem: () => null,
    setItem: () => undefined,
    removeItem: () => undefined,
  });
  // @ts-expect-error the compiler says so too
  expect(() => dpop(text)).toThrow('This storage cannot keep a key');
});

describe('a nonce', () => {
  test('is asked for once, and then known', async () => {
    await client.user();
    await client.user();
    expect(gate.passages.map(({ path, status }) => `${path} ${status}`)).toEqual([
      '/v1/login 400',
      '/v1/login 200',
      '/v1/me 200',
      '/v1/me 200',
    ]);
  });

  test.each(['/v1/me', '/v1/refresh', '/v1/login'])('that is over is replaced: %s', async (path) => {
    gate.after = async (_path, answer) => {
      answer.headers['dpop-nonce'] = 'a nonce of yesterday';
      return undefined;
    };
    await client.user();
    gate.reset();
    if (path === '/v1/refresh') await age();
    if (path === '/v1/login') await client.login(ADA);
    expect(await client.user()).toMatchObject({ email: ADA.email });
    const [first = '', second = '', ...more] = proofs(path);
    expect(decode(first).nonce).toBe('a nonce of yesterday');
    expect(decode(second).nonce).not.toBe(decode(first).nonce);
    expect(decode(second).jti).not.toBe(decode(first).jti);
    expect(more).toHaveLength(path === '/v1/me' ? 0 : proofs(path).length - 2);
  });

  test('that a server never accepts is asked for twice, not for ever', async () => {
    gate.after = async (_path, answer) => {
      answer.headers['dpop-nonce'] = 'never right';
      return undefined;
    };
    await client.user();
    gate.passages.length = 0;
    expect((await client.fetch(`${gate.url}/v1/me`)).status).toBe(401);
    expect(gate.passages).toHaveLength(2);
  });
});

describe('stolen from the storage, the tokens are worth nothing', () => {
  test('without a key', async () => {
    const { key, ...loot } = await stored();
    const pocket = memoryStorage();
    pocket.set(loot);
    const thief = createClient({ url: gate.url, transport: bearer(pocket) });
    expect(await thief.user()).toBeUndefined();
    expect(gate.passages.slice(-2).map(({ path, status }) => `${path} ${status}`)).toEqual([
      '/v1/me 401',
      '/v1/refresh 400',
    ]);
  });

  test('with a key of the thief', async () => {
    const loot = await stored();
    await client.login(ADA); // another key
    const { key } = await stored();
    const pocket = memoryStorage();
    pocket.set({ ...loot, key });
    const thief = createClient({ url: gate.url, transport: dpop(pocket) });
    expect(await thief.user()).toBeUndefined();
    const refused = gate.passages.filter(({ status }) => status === 401);
    // The first of them for want of a nonce.
    expect(refused.map(({ path }) => path)).toEqual(['/v1/me', '/v1/me', '/v1/refresh']);
  });
});

test('another origin sees neither token nor proof', async () => {
  const sent: Request[] = [];
  const strict = createClient({
    url: gate.url,
    transport: dpop(storage),
    fetch: async (request) => {
      sent.push(request);
      return new Response();
    },
  });
  await strict.fetch('http://evil.example/');
  expect(sent.map(({ headers }) => [...headers.keys()])).toEqual([[]]);
});
