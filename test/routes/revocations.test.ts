import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { decode, START, type TestApp } from '../support/app.ts';
import { expect, startIdcard, test } from '../support/idcard.ts';

const fetchList = ({ get }: TestApp, headers?: Record<string, string>) =>
  get('/.well-known/revocations', headers);

async function revoke({ app, directory }: TestApp, { id }: { id: string }): Promise<void> {
  await directory.updateAndVoidTokens(id, {});
  await app.pollRevocations();
}

test('the list is a JWT that any service can verify with the published keys', async ({ idcard, ada }) => {
  await revoke(idcard, ada);
  const response = await fetchList(idcard);
  expect(response.headers).toMatchObject({
    'content-type': 'application/jwt',
    'cache-control': 'no-cache',
  });
  const keys = createLocalJWKSet((await idcard.get('/.well-known/jwks.json')).json());
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
    revocations: { [createHash('sha256').update(ada.id).digest('base64url')]: 2 },
  });
});

test('an unchanged list is 304, until it is signed again', async ({ idcard }) => {
  const { headers } = await fetchList(idcard);
  const etag = String(headers.etag);
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const response = await fetchList(idcard, { 'if-none-match': tag });
    expect([response.statusCode, response.body, response.headers.etag]).toEqual([304, '', etag]);
  }
  expect((await fetchList(idcard, { 'if-none-match': '"other"' })).statusCode).toBe(200);
  idcard.time.now += 9;
  expect((await fetchList(idcard, { 'if-none-match': etag })).statusCode).toBe(304);
  idcard.time.now += 1;
  expect((await fetchList(idcard, { 'if-none-match': etag })).statusCode).toBe(200);
});

test('a revocation changes the list at once, and its end too', async ({ idcard, ada }) => {
  const before = await fetchList(idcard);
  await revoke(idcard, ada);
  const during = await fetchList(idcard, { 'if-none-match': String(before.headers.etag) });
  expect(during.statusCode).toBe(200);
  idcard.time.now += 365; // a lifetime, and what clocks and commits may be late by
  for (const _ of 'twice') await idcard.app.pollRevocations();
  const after = decode((await fetchList(idcard)).body);
  expect(after.revocations).toEqual({});
});

test('a list that was signed while the clock was ahead is signed again when it is right', async ({
  idcard,
}) => {
  const issuedAt = async () => decode((await fetchList(idcard)).body).iat;
  idcard.time.now += 86_400;
  expect(await issuedAt()).toBe(START + 86_400);
  idcard.time.now = START;
  expect(await issuedAt()).toBe(START);
});

test('a list is signed again before it expires, however short the life of access tokens', async () => {
  const brief = await startIdcard({ env: { ACCESS_TOKEN_TTL_SECONDS: '10' } });
  for (let second = 0; second < 40; second++) {
    brief.time.now = START + second;
    const { body } = await brief.get('/.well-known/revocations');
    expect(decode(body).exp).toBeGreaterThanOrEqual(brief.time.now + 5);
  }
});

test('the list is no access token', async ({ idcard }) => {
  const { body } = await fetchList(idcard);
  for (const headers of [{ authorization: `Bearer ${body}` }, { cookie: `access=${body}` }]) {
    expect((await idcard.get('/v1/verify', headers)).statusCode).toBe(401);
  }
});
