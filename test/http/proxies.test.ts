import { vi } from 'vitest';
import { clientAddress } from '../../src/http/client-address.ts';
import { createProxyMatcher } from '../../src/http/trusted-proxies.ts';
import { ADA, decode, type TestApp } from '../support/app.ts';
import { test as base, describe, expect, startIdcard } from '../support/idcard.ts';

const PROXY = '10.1.2.3';
const CLIENT = '203.0.113.9';
const STRANGER = '198.51.100.7';

const test = base.extend('options', {
  env: {
    TRUSTED_PROXIES: '10.0.0.0/8, fd00:1::/32, 192.0.2.1',
    // A hundred guesses at once wait for their hashes, for as long as a slow machine takes.
    PASSWORD_QUEUE_SECONDS: '60',
  },
});

function login({ app }: TestApp, remoteAddress: string, headers: Record<string, string>, body: object = ADA) {
  return app.inject({ method: 'POST', url: '/v1/login', remoteAddress, headers, body });
}

/** The address that the log gives to the last event. */
async function addressOf(
  { app, log }: TestApp,
  remoteAddress: string,
  headers: Record<string, string>,
): Promise<unknown> {
  await app.inject({ method: 'POST', url: '/v1/logout', remoteAddress, headers });
  return log().at(-1)?.address;
}

describe('the client address', () => {
  test('is that of the connection when no proxy is configured', async () => {
    const idcard = await startIdcard();
    for (const peer of [STRANGER, '127.0.0.1', '10.1.2.3', '::1']) {
      expect(await addressOf(idcard, peer, { 'x-forwarded-for': CLIENT })).toBe(peer);
    }
  });

  test.for([
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
  ] as const)('from %s', async ([, peer, forwarded, expected], { idcard }) => {
    expect(await addressOf(idcard, peer, { 'x-forwarded-for': forwarded })).toBe(expected);
  });

  test.for([
    [`${CLIENT}:50001`, CLIENT],
    [`${CLIENT}:`, CLIENT],
    [`[${CLIENT}]:80`, CLIENT],
    [`"${CLIENT}:50001"`, CLIENT],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['"[2001:db8::1]"', '2001:db8::1'],
    ['"[2001:db8::1]:4711"', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:0DB8:0:0::0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:4711', 'fe80::1'],
    [`::ffff:${CLIENT}`, CLIENT],
    [`::FFFF:${CLIENT}:50001`, CLIENT],
    [`[::ffff:cb00:7109]:50001`, CLIENT],
    [`\t${CLIENT}:50001 , 10.9.9.9:443`, CLIENT],
    [`${CLIENT}:50001, [fd00:1::5]:443`, CLIENT],
    [`${CLIENT}, ::ffff:10.9.9.9`, CLIENT],
    [`${CLIENT}, , ,`, CLIENT],
  ] as const)('handed on as %s is in one spelling', async ([forwarded, address], { idcard }) => {
    expect(await addressOf(idcard, PROXY, { 'x-forwarded-for': forwarded })).toBe(address);
  });

  test.for([
    'unknown',
    '_hidden',
    'unix:',
    '"',
    '[]',
    '[2001:db8::1',
    '[2001:db8::1]:4711:4712',
    '203.0.113',
    '203.0.113.999',
    '0xcb.0.0x71.9',
    '3405803785',
    '0313.0.113.9',
    '2001:db8::1::2',
    'evil.example',
    `for=${CLIENT}`,
    '{"event":"login.succeeded"}',
    '%0a',
    '\u00a0',
    '9'.repeat(8000),
    `[${'0:'.repeat(4000)}]`,
  ])('that is none (%#) is that of the proxy that handed it on', async (garbage, { idcard }) => {
    expect(await addressOf(idcard, PROXY, { 'x-forwarded-for': garbage })).toBe(PROXY);
    const before = `${CLIENT}, ${garbage}, 10.9.9.9:1234`;
    expect(await addressOf(idcard, `::ffff:${PROXY}`, { 'x-forwarded-for': before })).toBe('10.9.9.9');
    if (garbage.length > 2) expect(idcard.logText()).not.toContain(garbage);
  });

  test('is unknown on a socket that has none', () => {
    expect(clientAddress({ ip: undefined } as never)).toBe('unknown');
  });

  test('comes from no other header', async ({ idcard }) => {
    const headers = {
      'x-real-ip': CLIENT,
      'x-client-ip': CLIENT,
      'true-client-ip': CLIENT,
      'cf-connecting-ip': CLIENT,
      forwarded: `for=${CLIENT}`,
    };
    expect(await addressOf(idcard, PROXY, headers)).toBe(PROXY);
  });
});

describe('guesses are counted', () => {
  /** More guesses than one address has, each on another account. */
  async function guess(
    idcard: TestApp,
    from: string,
    forwardedFor: (index: number) => string,
  ): Promise<number[]> {
    const guesses = Array.from({ length: 103 }, (_, index) =>
      login(
        idcard,
        from,
        { 'x-forwarded-for': forwardedFor(index) },
        { ...ADA, email: `u${index}@example.com` },
      ),
    );
    const codes = (await Promise.all(guesses)).map(({ statusCode }) => statusCode);
    return [...new Set(codes)].sort();
  }

  test('by the address that a configured proxy forwards', async ({ idcard }) => {
    expect(await guess(idcard, PROXY, () => CLIENT)).toEqual([401, 429]);
  });

  test.for([
    ['another port', (index: number) => `${CLIENT}:${50_000 + index}`],
    ['another spelling', (index: number) => `[2001:db8::${index.toString(16)}%${index}]:${index}`],
    ['another text that is no address', (index: number) => `_hidden${index}`],
  ] as const)('together when each connection has %s', async ([, forwarded], { idcard }) => {
    vi.spyOn(idcard.hasher, 'verify').mockResolvedValue(false);
    expect(await guess(idcard, PROXY, forwarded)).toEqual([401, 429]);
  });

  test('apart for two clients of one proxy', async ({ idcard }) => {
    expect(await guess(idcard, PROXY, (index) => `203.0.113.${index % 2}`)).toEqual([401]);
  });

  test('by the address of the connection, whatever a stranger forwards', async ({ idcard }) => {
    expect(await guess(idcard, STRANGER, (index) => `203.0.113.${index}`)).toEqual([401, 429]);
  });
});

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '::ffff:10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.0.0.0/8', 'a00::1', false],
  ['192.0.2.1', '192.0.2.1:443', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['::ffff:10.0.0.0/104', '10.255.0.1', true],
  ['::ffff:10.0.0.0/104', '11.0.0.1', false],
  ['fd00:1::/32', 'fd00:1:ffff::1', true],
  ['fd00:1::/32', 'fd00:2::1', false],
  ['fe80::1%eth0', 'fe80::1%eth1', true],
  ['::1', '[::1]:80', true],
  ['::1', '127.0.0.1', false],
  ['10.0.0.0/8', 'unknown', false],
  ['10.0.0.0/8', '', false],
])('of the proxies %s, %s is one: %s', (range, address, expected) => {
  expect(createProxyMatcher([range])(address)).toBe(expected);
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

  test('change no issuer, audience or address of keys, not even from a configured proxy', async ({
    idcard,
    ada: _exists,
  }) => {
    const { access_token, refresh_token } = (await login(idcard, PROXY, forged)).json();
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

  test('change no cookie', async ({ idcard, ada: _exists }) => {
    const response = await login(idcard, PROXY, forged, { ...ADA, transport: 'cookie' });
    expect(response.statusCode).toBe(204);
    const lines = [response.headers['set-cookie']].flat();
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).toMatch(/^(access|refresh|device)=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
    }
  });

  test('make no other site this one', async ({ idcard, ada: _exists }) => {
    for (const origin of ['https://evil.example', 'http://evil.example']) {
      const response = await login(idcard, PROXY, { ...forged, origin }, { ...ADA, transport: 'cookie' });
      expect(response).toBeProblem('cross-site-request');
      expect(response.headers['set-cookie']).toBeUndefined();
    }
  });
});
