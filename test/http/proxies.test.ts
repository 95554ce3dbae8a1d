import { afterEach, describe, expect, test } from 'vitest';
import { ADA, addUser, createTestApp, decode, type TestApp } from '../support/app.ts';

const PROXY = '10.1.2.3';
const CLIENT = '203.0.113.9';
const STRANGER = '198.51.100.7';

let idcard: TestApp;

afterEach(() => idcard.close());

async function start(env: Record<string, string> = {}): Promise<void> {
  // A hundred guesses at once wait for their hashes, for as long as a slow machine takes.
  idcard = await createTestApp({ env: { PASSWORD_QUEUE_SECONDS: '60', ...env } });
}

const behindProxies = () => start({ TRUSTED_PROXIES: '10.0.0.0/8, fd00:1::/32, 192.0.2.1' });

function login(remoteAddress: string, headers: Record<string, string>, body: object = ADA) {
  return idcard.app.inject({ method: 'POST', url: '/v1/login', remoteAddress, headers, body });
}

/** The address that the log gives to the last event. */
async function addressOf(remoteAddress: string, headers: Record<string, string>): Promise<unknown> {
  await idcard.app.inject({ method: 'POST', url: '/v1/logout', remoteAddress, headers });
  return idcard.log().at(-1)?.address;
}

describe('the client address', () => {
  test('is that of the connection when no proxy is configured', async () => {
    await start();
    for (const peer of [STRANGER, '127.0.0.1', '10.1.2.3', '::1']) {
      expect(await addressOf(peer, { 'x-forwarded-for': CLIENT })).toBe(peer);
    }
  });

  test.each([
    ['a proxy of the range', PROXY, CLIENT, CLIENT],
    ['a proxy in IPv4-mapped form', `::ffff:${PROXY}`, CLIENT, CLIENT],
    ['an IPv6 proxy', 'fd00:1::5', '2001:db8::9', '2001:db8::9'],
    ['a single proxy', '192.0.2.1', CLIENT, CLIENT],
    ['two proxies in a row', PROXY, `${CLIENT}, 10.9.9.9`, CLIENT],
    ['a proxy behind a client that made up the first entry', PROXY, `127.0.0.1, ${CLIENT}`, CLIENT],
    ['a proxy behind a client that named itself a proxy', PROXY, `8.8.8.8, 10.0.0.1, ${CLIENT}`, CLIENT],
    ['the neighbour of a single proxy', '192.0.2.2', CLIENT, '192.0.2.2'],
    ['a stranger', STRANGER, CLIENT, STRANGER],
    ['a stranger who names a proxy', STRANGER, `${CLIENT}, ${PROXY}`, STRANGER],
    ['the loopback interface, unless it is configured', '127.0.0.1', CLIENT, '127.0.0.1'],
  ])('from %s', async (_, peer, forwarded, expected) => {
    await behindProxies();
    expect(await addressOf(peer, { 'x-forwarded-for': forwarded })).toBe(expected);
  });

  test('comes from no other header', async () => {
    await behindProxies();
    const headers = {
      'x-real-ip': CLIENT,
      'x-client-ip': CLIENT,
      'true-client-ip': CLIENT,
      'cf-connecting-ip': CLIENT,
      forwarded: `for=${CLIENT}`,
    };
    expect(await addressOf(PROXY, headers)).toBe(PROXY);
  });
});

describe('guesses are counted', () => {
  /** More guesses than one address has, each on another account. */
  async function guess(from: string, forwardedFor: (index: number) => string): Promise<number[]> {
    const guesses = Array.from({ length: 103 }, (_, index) =>
      login(from, { 'x-forwarded-for': forwardedFor(index) }, { ...ADA, email: `u${index}@example.com` }),
    );
    const codes = (await Promise.all(guesses)).map(({ statusCode }) => statusCode);
    return [...new Set(codes)].sort();
  }

  test('by the address that a configured proxy forwards', async () => {
    await behindProxies();
    expect(await guess(PROXY, () => CLIENT)).toEqual([401, 429]);
  });

  test('apart for two clients of one proxy', async () => {
    await behindProxies();
    expect(await guess(PROXY, (index) => `203.0.113.${index % 2}`)).toEqual([401]);
  });

  test('by the address of the connection, whatever a stranger forwards', async () => {
    await behindProxies();
    expect(await guess(STRANGER, (index) => `203.0.113.${index}`)).toEqual([401, 429]);
  });
});

describe('X-Forwarded-Host and X-Forwarded-Proto', () => {
  const forged = {
    host: 'evil.example',
    'x-forwarded-for': CLIENT,
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': '8080',
    forwarded: 'host=evil.example;proto=http',
  };

  test('change no issuer, audience or address of keys, not even from a configured proxy', async () => {
    await behindProxies();
    await addUser(idcard);
    const { access_token, refresh_token } = (await login(PROXY, forged)).json();
    expect(decode(access_token)).toMatchObject({ iss: 'http://localhost:3000', aud: 'api' });
    expect(decode(refresh_token)).toMatchObject({
      iss: 'http://localhost:3000',
      aud: 'http://localhost:3000',
    });
    const url = '/.well-known/oauth-authorization-server';
    const metadata = await idcard.app.inject({ url, remoteAddress: PROXY, headers: forged });
    expect(metadata.json()).toMatchObject({
      issuer: 'http://localhost:3000',
      jwks_uri: 'http://localhost:3000/.well-known/jwks.json',
    });
  });

  test('change no cookie', async () => {
    await behindProxies();
    await addUser(idcard);
    const response = await login(PROXY, forged, { ...ADA, transport: 'cookie' });
    expect(response.statusCode).toBe(204);
    const lines = [response.headers['set-cookie']].flat();
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatch(
        /^__Host-(access|refresh)=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
    }
  });

  test('make no other site this one', async () => {
    await behindProxies();
    await addUser(idcard);
    for (const origin of ['https://evil.example', 'http://evil.example']) {
      const response = await login(PROXY, { ...forged, origin }, { ...ADA, transport: 'cookie' });
      expect(response.statusCode).toBe(403);
      expect(response.headers['set-cookie']).toBeUndefined();
    }
  });
});
