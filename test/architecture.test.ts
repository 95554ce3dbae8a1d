import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = globSync('src/**/*.ts').sort();
/** Read by everything: types and words that belong to no folder. */
const SHARED = [
  'src/config.ts',
  'src/clock.ts',
  'src/client-address.ts',
  'src/handshake.ts',
  'src/log-text.ts',
  'src/startup-error.ts',
  'src/this-machine.ts',
  'src/private-file.ts',
  'src/bounded-map.ts',
  'src/in-time.ts',
  'src/utf8.ts',
  'src/parse-url.ts',
  'src/edit-distance.ts',
  'src/error-code.ts',
  'package.json',
];

/** What the files of a folder may import, besides themselves and what is shared. */
const MAY_IMPORT: Record<string, string[]> = {
  'src/tokens/': ['src/problems/'],
  'src/transports/': ['src/problems/'],
  'src/users/': ['src/problems/'],
  'src/passwords/': ['src/problems/'],
  'src/problems/': [],
  'src/http/': ['src/problems/'],
  'src/authentication.ts': ['src/tokens/', 'src/transports/', 'src/problems/'],
  'src/verifier/': [
    'src/tokens/',
    'src/transports/',
    'src/problems/',
    'src/authentication.ts',
    'src/env-values.ts',
  ],
};
/** The only files that see both where the proof lives and how it travels. */
const SEE_BOTH_HALVES = [
  'src/app.ts',
  'src/authentication.ts',
  'src/routes/change-password.ts',
  'src/routes/dependencies.ts',
  'src/routes/login.ts',
  'src/routes/refresh.ts',
  'src/verifier/index.ts',
];

function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g);
  return [...found].map(([, path]) => normalize(join(dirname(file), path ?? '')));
}

test('there are sources, and their imports are found', () => {
  expect(SOURCES.length).toBeGreaterThan(25);
  expect(importsOf('src/authentication.ts')).toContain('src/tokens/tokens.ts');
});

test.each(Object.entries(MAY_IMPORT))('%s imports only what it may', (folder, allowed) => {
  const files = SOURCES.filter((file) => file.startsWith(folder));
  expect(files.length).toBeGreaterThan(0);
  const foreign = files.flatMap((file) =>
    importsOf(file)
      .filter((path) => ![folder, ...allowed, ...SHARED].some((place) => path.startsWith(place)))
      .map((path) => `${file} imports ${path}`),
  );
  expect(foreign).toEqual([]);
});

test('the client imports nothing but itself, packages included', () => {
  const imports = SOURCES.filter((file) => file.startsWith('src/client/')).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import\()\s*'([^']+)'/g)].map(([, path = '']) => path),
  );
  expect(imports.length).toBeGreaterThan(10);
  expect(imports.filter((path) => !/^\.\/[\w-]+\.ts$/.test(path))).toEqual([]);
});

test('nothing of the service imports the client', () => {
  const users = SOURCES.filter((file) => !file.startsWith('src/client/')).filter((file) =>
    importsOf(file).some((path) => path.startsWith('src/client/')),
  );
  expect(users).toEqual([]);
});

test('the verifier runs on Node.js 20, which has no URL.parse', () => {
  const reached = new Set(SOURCES.filter((file) => file.startsWith('src/verifier/')));
  for (const file of reached) for (const path of importsOf(file)) reached.add(path);
  expect([...reached]).toContain('src/tokens/dpop-proof.ts');
  const users = [...reached].filter((file) => readFileSync(file, 'utf8').includes('URL.parse('));
  expect(users).toEqual([]);
});

test('tokens and transports meet in few places', () => {
  const both = SOURCES.filter(
    (file) => !file.startsWith('src/tokens/') && !file.startsWith('src/transports/'),
  ).filter((file) => {
    const paths = importsOf(file);
    return ['src/tokens/', 'src/transports/'].every((half) => paths.some((path) => path.startsWith(half)));
  });
  expect(both.filter((file) => !SEE_BOTH_HALVES.includes(file))).toEqual([]);
});

test('only tokens/jwt.ts knows @fastify/jwt', () => {
  const users = SOURCES.filter((file) => readFileSync(file, 'utf8').includes("'@fastify/jwt'"));
  expect(users).toEqual(['src/tokens/jwt.ts']);
});

test('tokens know no request and no reply', () => {
  const mentions = SOURCES.filter((file) => file.startsWith('src/tokens/')).filter((file) =>
    /FastifyRequest|FastifyReply/.test(readFileSync(file, 'utf8')),
  );
  expect(mentions).toEqual([]);
});

test('only client-address.ts reads the address of a request, which a client may have written', () => {
  const readers = SOURCES.filter((file) =>
    /\.ips?\b|\{[^}]*\bips?\b[^}]*\} = request/.test(readFileSync(file, 'utf8')),
  );
  expect(readers).toEqual(['src/client-address.ts']);
});

test('only the process reads the environment', () => {
  const readers = SOURCES.filter((file) => /process\.env/.test(readFileSync(file, 'utf8')));
  // bin/idcard.js hands it in; fetch heeds a variable of Node.js; the test kit has to know by itself where it is
  expect(readers).toEqual(['src/verifier/document.ts', 'src/verifier/testing.ts']);
});
