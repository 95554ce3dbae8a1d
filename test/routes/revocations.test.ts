import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addUser, createTestApp, START, type TestApp } from '../support/app.ts';

let idcard: TestApp;
let userId: string;

beforeEach(async () => {
  idcard = await createTestApp();
  ({ id: userId } = await addUser(idcard));
});
afterEach(() => idcard.close());

const fetchList = (headers: Record<string, string> = {}) =>
  idcard.app.inject({ url: '/.well-known/revocations', headers });

async function revoke(): Promise<void> {
  await idcard.directory.updateAndVoidTokens(userId, {});
  await idcard.app.pollRevocations();
}

test('the list is a JWT that any service can verify with the published keys', async () => {
  await revoke();
  const response = await fetchList();
  expect(response.headers).toMatchObject({
    'content-type': 'application/jwt',
    'cache-control': 'no-cache',
  });
  const keys = createLocalJWKSet((await idcard.app.inject('/.well-known/jwks.json')).json());
  const { payload } = await jwtVerify(response.body, keys, {
    issuer: 'http://localhost:3000',
    audience: 'http://localhost:3000/.well-known/revocations',
    typ: 'revocations+jwt',
    currentDate: new Date(START * 1000),
  });
  expect(payload).toEqual({
    iss: 'http://localhost:3000',
    aud: 'http://localhost:3000/.well-known/revocations',
    iat: START,
    exp: START + 300,
    access_token_ttl: 300,
    revocations: { [createHash('sha256').update(userId).digest('base64url')]: 2 },
  });
});

test('an unchanged list is 304, until it is signed again', async () => {
  const { headers } = await fetchList();
  const etag = String(headers.etag);
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const response = await fetchList({ 'if-none-match': tag });
    expect([response.statusCode, response.body, response.headers.etag]).toEqual([304, '', etag]);
  }
  expect((await fetchList({ 'if-none-match': '"other"' })).statusCode).toBe(200);
  idcard.time.now += 9;
  expect((await fetchList({ 'if-none-match': etag })).statusCode).toBe(304);
  idcard.time.now += 1;
  expect((await fetchList({ 'if-none-match': etag })).statusCode).toBe(200);
});

test('a revocation changes the list at once, and its end too', async () => {
  const before = await fetchList();
  await revoke();
  const during = await fetchList({ 'if-none-match': String(before.headers.etag) });
  expect(during.statusCode).toBe(200);
  idcard.time.now += 365; // a lifetime, and what clocks and commits may be late by
  for (const _ of 'twice') await idcard.app.pollRevocations();
  const after = JSON.parse(Buffer.from((await fetchList()).body.split('.')[1] ?? '', 'base64url').toString());
  expect(after.revocations).toEqual({});
});

test('a list that was signed while the clock was ahead is signed again when it is right', async () => {
  const issuedAt = async () =>
    JSON.parse(Buffer.from((await fetchList()).body.split('.')[1] ?? '', 'base64url').toString()).iat;
  idcard.time.now += 86_400;
  expect(await issuedAt()).toBe(START + 86_400);
  idcard.time.now = START;
  expect(await issuedAt()).toBe(START);
});

test('a list is signed again before it expires, however short the life of access tokens', async () => {
  const brief = await createTestApp({ env: { ACCESS_TOKEN_TTL_SECONDS: '10' } });
  for (let second = 0; second < 40; second++) {
    brief.time.now = START + second;
    const { body } = await brief.app.inject('/.well-known/revocations');
    const { exp } = JSON.parse(Buffer.from(body.split('.')[1] ?? '', 'base64url').toString());
    expect(exp).toBeGreaterThanOrEqual(brief.time.now + 5);
  }
  await brief.close();
});

test('the list is no access token', async () => {
  const { body } = await fetchList();
  for (const headers of [{ authorization: `Bearer ${body}` }, { cookie: `access=${body}` }]) {
    expect((await idcard.app.inject({ url: '/v1/verify', headers })).statusCode).toBe(401);
  }
});
