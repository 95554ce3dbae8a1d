import { expect, test } from 'vitest';
import type { IdcardOptions } from '../../src/verifier/index.ts';
import { readOptions } from '../../src/verifier/options.ts';

const read = (options: Partial<IdcardOptions>) =>
  readOptions({ issuer: 'https://login.example.com', audience: 'api', ...options });

test.each([
  'http://idcard:3000',
  'http://idcard.auth.svc',
  'http://idcard.auth.svc.cluster.local:3000',
  'http://idcard.auth.svc.cluster.local.',
  'http://localhost.:3000',
  'http://idcard.prod.internal',
  'http://nas.home.arpa/auth',
  'http://localhost:3000/',
  'http://127.0.0.1:3000',
  'http://127.9.9.9',
  'http://10.1.2.3',
  'http://172.31.0.1',
  'http://192.168.1.1',
  'http://100.64.0.1',
  'http://[::1]:3000',
  'http://[fd12::1]',
  'http://[::ffff:10.0.0.1]',
  'http://2130706433', // 127.0.0.1, as URLs have it
  'https://idcard.example.com',
  'https://8.8.8.8',
])('keys may be fetched from inside at %s', (internalUrl) => {
  expect(read({ internalUrl }).internalUrl).toMatch(/^https?:.*[^/]$/);
});

test.each([
  'http://idcard.example.com',
  'http://idcard.auth', // two words that a name server of the internet may know
  'http://localhost.example.com',
  'http://internal.example.com',
  'http://evil-internal.com',
  'http://xinternal.evillocal',
  'http://ai./',
  'http://idcard.example.com.',
  'http://svc.example.',
  'http://8.8.8.8',
  'http://134744072', // 8.8.8.8
  'http://172.32.0.1',
  'http://100.128.0.1',
  'http://0.0.0.0',
  'http://[2001:db8::1]',
  'http://[::ffff:8.8.8.8]',
  'http://[::2]',
])('keys without TLS are not fetched from %s', (internalUrl) => {
  expect(() => read({ internalUrl })).toThrow(
    'The idcard option internalUrl must be an https address, or one that is private: keys that come without TLS may be anybody’s.',
  );
});

test('the issuer itself is https, also where it is not asked', () => {
  const options = { issuer: 'http://login.example.com', internalUrl: 'http://idcard:3000' };
  expect(() => read(options)).toThrow('The idcard option issuer must be an https address');
});
