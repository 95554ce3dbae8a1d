import { expect, test } from 'vitest';
import { bundle, gzippedBytes } from './bundle.ts';

const using = (transport: string) =>
  `import { createClient, ${transport} } from 'idcard-client';
   export const open = (url) => createClient({ url, transport: ${transport}() });`;

test('all of it is less than 5 kB, minified and compressed', async () => {
  expect(gzippedBytes(await bundle("export * from 'idcard-client';"))).toBeLessThan(5000);
});

test.each([
  ['cookie', 2900],
  ['bearer', 3000],
  ['dpop', 3850],
])('who uses nothing but %s pays for less than %i bytes', async (transport, bytes) => {
  const code = await bundle(using(transport));
  expect(gzippedBytes(code)).toBeLessThan(bytes);
  expect(code.includes('indexedDB')).toBe(transport === 'dpop');
});

test('it needs no other package', async () => {
  expect(await bundle("export * from 'idcard-client';")).not.toMatch(/\bimport\b|\brequire\b/);
});
