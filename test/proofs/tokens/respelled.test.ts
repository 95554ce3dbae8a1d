import { createPrivateKey } from 'node:crypto';
import { sha256 } from '../../../src/base/digest.ts';
import { withLowS } from '../../../src/proofs/keys/low-s.ts';
import { addUser, bearer, logIn, START, type TestApp } from '../../support/app.ts';
import { createProofKey, fetchNonce, forgeProof, logInBound, proofClaims } from '../../support/dpop.ts';
import { es256, forge, forgeAccess, hasLowS, keyOf, respell } from '../../support/forge.ts';
import { test as base, describe, expect, startIdcard } from '../../support/idcard.ts';
import { startFakeIssuer } from '../../verifier/fake-issuer.ts';
import { createService } from '../../verifier/service.ts';

const test = base.extend('spellings', ({ tokens: { access_token } }): [string, string] => [
  access_token,
  respell(access_token),
]);

const verify = async ({ get }: TestApp, headers: Record<string, string>) =>
  (await get('/v1/verify', headers)).statusCode;
const statuses = (idcard: TestApp, spellings: readonly string[]) =>
  Promise.all(spellings.map((token) => verify(idcard, bearer(token))));

test('of the two spellings of an ES256 signature, the one with the lower s is signed', async ({
  idcard,
  ada: _exists,
}) => {
  const key = es256(createPrivateKey({ key: keyOf(idcard.jwks, 'EC'), format: 'jwk' }));
  for (let count = 0; count < 50; count++) {
    const jws = forge({}, { count }, key);
    expect([withLowS(jws), withLowS(respell(jws))]).toEqual(
      hasLowS(jws) ? [jws, jws] : [respell(jws), respell(jws)],
    );
  }
  for (let count = 0; count < 20; count++) {
    expect(hasLowS((await logIn(idcard)).access_token)).toBe(true);
    idcard.time.now += 30;
    expect(hasLowS((await idcard.get('/.well-known/revocations')).body)).toBe(true);
  }
});

/** The order of the base point of Ed25519 (RFC 8032 §5.1). */
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The same number plus a modulus, in as many bytes. */
const plus = (bytes: Buffer, modulus: bigint) => {
  const sum = (BigInt(`0x${bytes.toString('hex')}`) + modulus).toString(16).padStart(2 * bytes.length, '0');
  return Buffer.from(sum, 'hex');
};

/** What an arithmetic that does not look at the range would take for the same signature. */
const outOfRange = {
  RS256: (signature: Buffer, { n = '' }: { n?: string }) =>
    plus(signature, BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)),
  EdDSA: (signature: Buffer) => {
    const s = plus(Buffer.from(signature.subarray(32)).reverse(), ED25519_ORDER);
    return Buffer.concat([signature.subarray(0, 32), s.reverse()]);
  },
};

test.each(['RS256', 'EdDSA'] as const)('a signature of %s has one value', async (JWT_ALGORITHM) => {
  const other = await startIdcard({ env: { JWT_ALGORITHM } });
  await addUser(other);
  const ask = async (token: string) => (await other.get('/v1/verify', bearer(token))).statusCode;
  for (let count = 0; count < 10; count++) {
    const { access_token } = await logIn(other);
    expect(await ask(access_token)).toBe(200);
    const start = access_token.lastIndexOf('.') + 1;
    const signature = Buffer.from(access_token.slice(start), 'base64url');
    const jwk = other.jwks.keys[0] as { n?: string };
    const respelled = outOfRange[JWT_ALGORITHM](signature, jwk);
    expect(await ask(access_token.slice(0, start) + respelled.toString('base64url'))).toBe(401);
  }
});

describe('both spellings', () => {
  test('are two texts, and both are accepted, as bearer and as cookie, at first and when remembered', async ({
    idcard,
    spellings,
  }) => {
    expect(spellings[0]).not.toBe(spellings[1]);
    for (let time = 0; time < 2; time++) {
      expect(await statuses(idcard, spellings)).toEqual([200, 200]);
      for (const token of spellings) expect(await verify(idcard, { cookie: `access=${token}` })).toBe(200);
    }
  });

  test.for([
    ['neither has been seen', []],
    ['one is remembered', [0]],
    ['the other is remembered', [1]],
    ['both are remembered', [0, 1]],
  ] as const)('are void by one revocation when %s', async ([, seen], { idcard, ada, spellings }) => {
    for (const index of seen) expect(await verify(idcard, bearer(spellings[index] ?? ''))).toBe(200);
    await idcard.directory.updateAndVoidTokens(ada.id, {});
    await idcard.app.pollRevocations();
    expect(await statuses(idcard, spellings)).toEqual([401, 401]);
    expect(await statuses(idcard, spellings)).toEqual([401, 401]);
  });

  test.for([[[]], [[0]], [[1]], [[0, 1]]])(
    'expire at one moment, when %j were seen',
    async ([seen = []], { idcard, spellings }) => {
      for (const index of seen) expect(await verify(idcard, bearer(spellings[index] ?? ''))).toBe(200);
      idcard.time.now = START + 300;
      expect(await statuses(idcard, spellings)).toEqual([401, 401]);
    },
  );

  test('die with their key', async ({ idcard, spellings }) => {
    const [key, secret] = idcard.jwks.keys;
    const keys = [{ ...key, exp: START + 100 }, secret] as typeof idcard.jwks.keys;
    const retiring = await startIdcard({ jwks: { keys }, directory: () => idcard.directory });
    const ask = (token: string) => retiring.get('/v1/verify', bearer(token));
    expect((await ask(spellings[1])).statusCode).toBe(200);
    retiring.time.now = START + 100;
    for (const token of spellings) expect((await ask(token)).statusCode).toBe(401);
  });

  test('of a token that is not good are refused', async ({ idcard, spellings }) => {
    const bad = [
      forgeAccess(idcard.jwks, { exp: START }),
      forgeAccess(idcard.jwks, { aud: 'shop' }),
      forgeAccess(idcard.jwks, {}, { typ: 'JWT' }),
      `${spellings[0].split('.', 1)}.${forgeAccess(idcard.jwks).split('.')[1]}.${spellings[0].split('.')[2]}`,
    ];
    for (const token of bad) expect(await statuses(idcard, [token, respell(token)])).toEqual([401, 401]);
  });

  test('are both known to services, and void there by one entry of the list', async ({ ada }) => {
    const issuer = await startFakeIssuer();
    const token = issuer.token({ sub: ada.id });
    const service = await createService({ issuer: issuer.url, audience: 'api', revocationPollSeconds: 1 });
    const ask = async (text: string) =>
      (await service.app.inject({ url: '/v1/me', headers: bearer(text) })).statusCode;
    expect([await ask(token), await ask(respell(token))]).toEqual([200, 200]);
    // The list itself may be respelled as well: what it says counts.
    issuer.answers.revocations = (...args) =>
      issuer.jwt(respell(issuer.listOf({ [sha256(ada.id)]: 2 })))(...args);
    await expect.poll(() => ask(token), { timeout: 15_000 }).toBe(401);
    expect(await ask(respell(token))).toBe(401);
    await service.app.close();
    issuer.close();
  });
});

describe('a DPoP proof', () => {
  const key = createProofKey('ES256');
  const me = ({ get }: TestApp, proof: string, token: string) =>
    get('/v1/me', { authorization: `DPoP ${token}`, dpop: proof });

  test('that was used is used in its other spelling too', async ({ idcard, ada: _exists }) => {
    const { access_token } = await logInBound(idcard, key);
    for (const first of [(proof: string) => proof, respell]) {
      const proof = forgeProof(key, proofClaims('GET', '/v1/me', await fetchNonce(idcard), access_token));
      expect((await me(idcard, first(proof), access_token)).statusCode).toBe(200);
      for (const text of [proof, respell(proof)]) {
        const refused = await me(idcard, text, access_token);
        expect([refused.statusCode, refused.json().detail]).toEqual([
          401,
          'The DPoP proof was used before (jti).',
        ]);
      }
    }
  });

  test('is for one spelling of its token', async ({ idcard, ada: _exists }) => {
    const { access_token } = await logInBound(idcard, key);
    const claims = proofClaims('GET', '/v1/me', await fetchNonce(idcard), access_token);
    expect((await me(idcard, forgeProof(key, claims), respell(access_token))).statusCode).toBe(401);
    expect((await me(idcard, forgeProof(key, claims), access_token)).statusCode).toBe(200);
  });
});
