import { expect, test } from 'vitest';
import { createProxyMatcher } from '../../src/http/trusted-proxies.ts';

const isProxy = createProxyMatcher([
  '10.0.0.0/8',
  'fd00:1::/32',
  '192.0.2.1',
  '2001:db8::7',
  '::ffff:192.168.0.0/112',
]);

test.each([
  '10.255.255.255',
  '::ffff:10.1.2.3',
  '::ffff:a01:203',
  'fd00:1:ffff::5',
  '192.0.2.1',
  '::ffff:192.0.2.1',
  '2001:db8::7',
  '2001:0DB8:0:0:0:0:0:7',
  '192.168.7.8',
  'fd00:1::5%eth0',
])('%s is a proxy', (address) => {
  expect(isProxy(address)).toBe(true);
});

test.each([
  undefined,
  '',
  'x',
  '11.0.0.0',
  '192.0.2.2',
  '2001:db8::8',
  'fd00:2::1',
  '10.1',
  '::',
  '10.1.2.3:80',
])('%s is none', (address) => {
  expect(isProxy(address)).toBe(false);
});

test('nobody is one where none is configured', () => {
  for (const address of ['127.0.0.1', '::1', undefined]) expect(createProxyMatcher([])(address)).toBe(false);
});
