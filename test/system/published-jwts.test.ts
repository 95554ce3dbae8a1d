import { spawnSync } from 'node:child_process';
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, decode } from '../support/app.ts';
import { type ServerProcess, startServer } from '../support/process.ts';
import { isPyJwtHere, PYTHON } from '../support/python.ts';

let server: ServerProcess;
let jwks: { keys: JsonWebKey[] };
/** Every JWT that the server gives to whoever asks, with the address that gave it. */
let published: [address: string, jwt: string][];
let accessToken: string;

beforeAll(async () => {
  server = await startServer();
  jwks = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as typeof jwks;
  const post = (path: string) =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ADA),
    });
  await post('/v1/register');
  ({ access_token: accessToken } = (await (await post('/v1/login')).json()) as { access_token: string });
  published = await askForEverything();
}, 30_000);
afterAll(() => server.stop());

/** Every operation of the document, without a login: what looks like a JWT in a header or a body of its answers. */
async function askForEverything(): Promise<[string, string][]> {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: object };
  const found: [string, string][] = [];
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations)) {
      const response = await fetch(server.url + path, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method !== 'get' && { body: '{}' }),
      });
      const text = JSON.stringify([...response.headers]) + (await response.text());
      for (const [jwt] of text.matchAll(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g)) found.push([path, jwt]);
    }
  }
  return found;
}

/** Verifiers that check signature, issuer, audience and expiry, and do not look at `typ`. */
const verifiers: Record<string, (jwt: string) => Promise<unknown> | unknown> = {
  jose: (jwt) => jwtVerify(jwt, createLocalJWKSet(jwks as never), { issuer: server.url, audience: 'api' }),
  'fast-jwt': (jwt) => {
    const key = createPublicKey({ key: jwks.keys[0] as JsonWebKey, format: 'jwk' });
    const pem = key.export({ type: 'spki', format: 'pem' });
    return createVerifier({ key: pem, allowedIss: server.url, allowedAud: 'api', algorithms: ['ES256'] })(
      jwt,
    );
  },
};

function verifyInPython(jwt: string): void {
  const program = [
    'import json, sys, jwt',
    'key, issuer, token = sys.argv[1:]',
    'key = jwt.PyJWK(json.loads(key)).key',
    'jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience="api")',
  ].join('\n');
  const { status, stderr } = spawnSync(
    PYTHON,
    ['-c', program, JSON.stringify(jwks.keys[0]), server.url, jwt],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
}

test('the list of revocations is among what anybody gets, with the issuer and the key of access tokens', () => {
  const [, list = ''] = published.find(([address]) => address === '/.well-known/revocations') ?? [];
  expect(decode(list).iss).toBe(decode(accessToken).iss);
  expect(decode(list, 0).kid).toBe(decode(accessToken, 0).kid);
});

describe.each([...Object.entries(verifiers), ...(isPyJwtHere() ? [['PyJWT', verifyInPython] as const] : [])])(
  'a service that verifies with %s, and ignores typ,',
  (_name, verify) => {
    const refuses = async (jwt: string) => {
      try {
        await verify(jwt);
        return false;
      } catch {
        return true;
      }
    };

    test('takes an access token', async () => {
      expect(await refuses(accessToken)).toBe(false);
    });

    test('takes nothing else that anybody gets', async () => {
      const taken: string[] = [];
      for (const [address, jwt] of published) if (!(await refuses(jwt))) taken.push(address);
      expect(taken).toEqual([]);
    });
  },
);
