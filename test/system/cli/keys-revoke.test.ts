import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PrivateJwkSet } from '../../../src/proofs/keys/key-set.ts';
import { ADA } from '../../support/app.ts';
import { run, type ServerProcess, startServer, temporaryFolder } from '../../support/process.ts';

let folder: string;
let server: ServerProcess | undefined;
beforeEach(async () => {
  folder = temporaryFolder();
  await run(['keys', 'create'], { env: { DATA_DIR: folder } });
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  rmSync(folder, { recursive: true });
});

const idcard = (...args: string[]) => run(args, { env: { DATA_DIR: folder } });
const keys = () => (JSON.parse(readFileSync(join(folder, 'keys.json'), 'utf8')) as PrivateJwkSet).keys;
const kidOf = (kty: string) => keys().find((key) => key.kty === kty)?.kid ?? '';

async function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${server?.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

test.each([
  ['EC', [401, 200]],
  ['oct', [200, 401]],
])('revoking the %s key voids what it signed and nothing else', async (kty, expected) => {
  // The issuer must stay the same through the restart, and so must the port.
  server = await startServer({ DATA_DIR: folder });
  const { url } = server;
  await post('/v1/register', ADA);
  const tokens = (await (await post('/v1/login', ADA)).json()) as Record<string, string>;

  const kid = kidOf(kty);
  const { code, stdout, stderr } = await idcard('keys', 'revoke', kid);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Revoked [\w-]{43}\. Restart every replica now/);
  expect(JSON.parse(stderr)).toMatchObject({ event: 'keys.revoked', kid });
  expect(keys().map((key) => key.kid)).not.toContain(kid);
  expect(keys()).toHaveLength(2);

  await server.stop();
  server = await startServer({ DATA_DIR: folder, PUBLIC_URL: url, PORT: new URL(url).port });
  const authorization = `Bearer ${tokens.access_token}`;
  const verified = await fetch(`${url}/v1/verify`, { headers: { authorization } });
  const refreshed = await post('/v1/refresh', { refresh_token: tokens.refresh_token });
  expect([verified.status, refreshed.status]).toEqual(expected);
  expect((await post('/v1/login', ADA)).status).toBe(200);
});

test('revoking the next key of a rotation leaves a key that signs', async () => {
  await idcard('keys', 'rotate');
  const next = keys().findLast((key) => key.kty === 'EC')?.kid ?? '';
  await idcard('keys', 'revoke', next);
  const list = JSON.parse((await idcard('keys', 'list', '--json')).stdout) as {
    kid: string;
    retires?: string;
  }[];
  expect(list.map(({ kid }) => kid)).not.toContain(next);
  expect(keys().some((key) => key.kty === 'EC' && key.exp === undefined)).toBe(true);
});

test('a key without a kid in the file is found by the one that is listed', async () => {
  const path = join(folder, 'keys.json');
  const nameless = { keys: keys().map(({ kid, ...key }) => key) };
  writeFileSync(path, JSON.stringify(nameless), { mode: 0o600 });
  const listed = JSON.parse((await idcard('keys', 'list', '--json')).stdout) as { kid: string }[];
  const [leaked, other] = listed.map(({ kid }) => kid);
  const { code, stdout } = await idcard('keys', 'revoke', '--json', '--', leaked ?? '');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    revoked: leaked,
    kids: [other, expect.stringMatching(/^[\w-]{43}$/)],
  });
  expect(keys()).toEqual([nameless.keys[1], expect.objectContaining({ kty: 'EC' })]);
});

test('a kid that is not there changes nothing', async () => {
  const before = keys();
  const { code, stderr } = await idcard('keys', 'revoke', 'nonsense');
  expect(code).toBe(1);
  expect(stderr).toBe('idcard: There is no key with this kid: "idcard keys list" shows them.\n');
  expect(keys()).toEqual(before);
});
