import { once } from 'node:events';
import { connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROXIES, type ProtectedApp, startProtectedApp } from '../../support/protected-app.ts';
import { lacks } from '../../support/system.ts';

/** The cookies of a login have their prefix where the proxy is reached by TLS, as the files ask for. */
const HTTPS = { PUBLIC_URL: 'https://app.example.com' };

/** Each with what the application may see of it; "@" stands for the cookie that logs in. */
const COOKIES: [sent: string[], seen: string][] = [
  [['@'], '@'],
  [['theme=dark; @; a=b'], 'theme=dark; @; a=b'],
  [['@; __Host-refresh=x'], '@'],
  [['__Host-refresh=x; @'], '@'],
  [['@; __Host-refresh=x; a=b'], '@; a=b'],
  [['__Host-device=y; __Host-refresh=x; @; a=b'], '@; a=b'],
  [['a=b; __Host-device=y; @; __Host-refresh=x; c=d'], 'a=b; @; c=d'],
  [['a=b; @; __Host-device=y; __Host-refresh=x'], 'a=b; @'],
  [['a=b;__Host-device=y;@;__Host-refresh=x;c=d'], 'a=b;@;c=d'],
  [['a=b; @;  __Host-refresh = x ;\tc="d"'], 'a=b; @;\tc="d"'],
  [['a=b', '__Host-refresh=x', '@; __Host-device=y'], 'a=b; @'],
  // Not ours, so none of this is touched.
  [['@; a=__Host-refresh; b=__Host-device=y'], '@; a=__Host-refresh; b=__Host-device=y'],
  [
    ['@; __Host-refresh-2=x; my__Host-device=y; refresh=z'],
    '@; __Host-refresh-2=x; my__Host-device=y; refresh=z',
  ],
  [['@; a="b c"; d=\xe9%20\xff; e; =f; g==h=; a=b'], '@; a="b c"; d=\xe9%20\xff; e; =f; g==h=; a=b'],
  // A quoted value does not hide what follows it.
  [['a="b; @; __Host-refresh=x; c=d"'], 'a="b; @; c=d"'],
];

/** What no browser sends. The application may lose all of its cookies here, as long as ours does not arrive. */
const HOSTILE: string[] = [
  '@; __Host-refresh=1; __Host-refresh=2; __Host-refresh=3; __Host-refresh=4',
  '__Host-refresh=1; __Host-device=2; __Host-refresh=3; @; __Host-device=4; a=b',
  '@; __HOST-REFRESH=x; __host-Device=y',
  '@; \xa0__Host-refresh=x; \xc2\xa0__Host-device\xc2\xa0=y',
  '@;;; ;__Host-refresh=x;;__Host-device=y;',
  '@; __Host-refresh==x; __Host-device=',
];

function accessCookieOf({ ada }: ProtectedApp): string {
  return ada.cookie.split('; ').find((cookie) => cookie.startsWith('__Host-access=')) ?? '';
}

describe.each(PROXIES)('an application behind $name', (proxy) => {
  describe.skipIf(lacks(proxy.name))('sees all cookies but those that are for idcard alone', () => {
    let proxied: ProtectedApp;

    beforeAll(async () => {
      proxied = await startProtectedApp(proxy, { env: HTTPS });
    });
    afterAll(() => proxied?.stop());

    const withLogin = (cookies: string) => cookies.replace('@', accessCookieOf(proxied));

    async function seenOf(sent: string[]): Promise<string> {
      const lines = sent.map((cookies) => `Cookie: ${withLogin(cookies)}`);
      expect(await proxied.send('GET /', [...lines, 'Connection: close'])).toMatch(/^HTTP\/1\.1 200 /);
      // Of several headers some may be empty now.
      return proxied.valuesOf('cookie').filter(Boolean).join('; ');
    }

    test.each(COOKIES)('%j arrives as %j', async (sent, seen) => {
      expect(await seenOf(sent)).toBe(withLogin(seen));
    });

    test.each(HOSTILE)('%j hands on none of them', async (sent) => {
      expect(await seenOf([sent])).not.toMatch(/__Host-(refresh|device)/i);
    });

    test('where nothing else was sent, there is no Cookie header', async () => {
      const cookie = '__Host-device=y; __Host-refresh=x';
      await proxied.ask('/', { cookie, authorization: `Bearer ${proxied.ada.token}` });
      expect(proxied.received).toHaveLength(1);
      expect(proxied.valuesOf('cookie')).toEqual([]);
    });

    test('idcard itself gets all of them', async () => {
      expect(proxied.ada.cookie).toContain('__Host-refresh=');
      const { status, headers } = await proxied.ask('/v1/refresh', { cookie: proxied.ada.cookie }, 'POST');
      expect([status, headers['set-cookie']?.join()]).toEqual([
        204,
        expect.stringContaining('__Host-refresh='),
      ]);
    });
  });

  test.skipIf(lacks(proxy.name))('sees the same where they come one by one, by HTTP/2', async () => {
    const proxied = await startProtectedApp(proxy, { http2: true, env: HTTPS });
    const client = connect(proxied.origin);
    try {
      const access = accessCookieOf(proxied);
      const cookie = ['a=b', '__Host-device=y', access, '__Host-refresh=x', 'c=d'];
      const stream = client.request({ ':path': '/', cookie });
      const [headers] = await once(stream, 'response');
      expect([headers[':status'], await text(stream)]).toEqual([200, 'the application']);
      expect(proxied.valuesOf('cookie')).toEqual([`a=b; ${access}; c=d`]);
    } finally {
      client.destroy();
      await proxied.stop();
    }
  });
});
