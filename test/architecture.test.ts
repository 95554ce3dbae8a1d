import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = globSync('src/**/*.ts').sort();

/** What the files of a room may import, besides themselves: folders with a slash at the end, and single files. */
const MAY_IMPORT: Record<string, string[]> = {
  'base/': [],
  'config/': ['base/'],
  'problems/': ['base/', 'events/'],
  'events/': [],
  'redis/': ['base/'],
  'http/': ['base/', 'config/', 'problems/', 'events/'],
  'database/': ['base/', 'config/', 'problems/', 'events/'],
  'users/': ['base/', 'config/', 'problems/', 'database/'],
  'attempts/': ['base/', 'config/', 'problems/', 'events/', 'redis/'],
  'transports/': ['base/', 'problems/'],
  'factors/passwords/': ['base/', 'config/', 'problems/', 'events/'],
  'pages/': [],
  'proofs/': ['base/', 'config/'],
  'proofs/keys/': ['base/', 'config/', 'problems/', 'proofs/'],
  'proofs/tokens/': ['base/', 'config/', 'problems/', 'proofs/', 'proofs/keys/'],
  'proofs/dpop/': ['base/', 'config/', 'problems/', 'proofs/', 'proofs/keys/'],
  'proofs/revocations/': ['base/', 'config/', 'problems/', 'proofs/', 'proofs/keys/'],
  'authentication.ts': ['base/', 'problems/', 'proofs/tokens/', 'proofs/dpop/', 'transports/'],
  'logins.ts': [
    'base/',
    'problems/',
    'events/',
    'http/',
    'users/',
    'proofs/tokens/',
    'proofs/dpop/',
    'transports/',
  ],
  'probe-claims.ts': ['base/', 'users/', 'proofs/tokens/', 'logins.ts'],
  'revocation-feed.ts': ['base/', 'config/', 'events/', 'users/', 'proofs/revocations/'],
  'stores.ts': ['base/', 'config/', 'events/', 'database/', 'users/', 'proofs/keys/'],
  'verifier/': [
    'base/',
    'problems/',
    'proofs/tokens/',
    'proofs/dpop/',
    'proofs/revocations/',
    'transports/',
    'authentication.ts',
  ],
};

/** What puts the rooms together, or stands outside of the house. Other tests say what these may import. */
const ABOVE = [
  'app.ts',
  'cli/',
  'client/',
  'house.ts',
  'index.ts',
  'main.ts',
  'parts.ts',
  'routes/',
  'serve/',
];

/** Arrows that the table forbids, each with its reason. */
const EXCEPTIONS: Record<string, string> = {
  'proofs/tokens/tokens.ts → proofs/revocations/revocations.ts': 'a verification looks there, in memory',
  'proofs/revocations/revocation-list.ts → proofs/tokens/jwt.ts': 'the list is a signed token itself',
  'proofs/revocations/revocation-list.ts → proofs/tokens/profiles.ts': 'the list is a signed token itself',
  'database/schema.ts → users/user.ts': 'the type of a row',
};

/** The only files that see both where the proof lives and how it travels. */
const SEE_BOTH_HALVES = ['authentication.ts', 'house.ts', 'logins.ts', 'verifier/index.ts'];

/** The files of a folder; of `proofs/` those that stand in no room of it. */
function isOf(folder: string, file: string): boolean {
  if (folder === 'proofs/') return /^proofs\/[\w-]+\.ts$/.test(file);
  return folder.endsWith('/') ? file.startsWith(folder) : file === folder;
}

function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g);
  return [...found].map(([, path]) => normalize(join(dirname(file), path ?? '')));
}

/** Every import from one file of `src/` to another, without that part of the paths. */
const ARROWS = SOURCES.flatMap((file) =>
  importsOf(file).map((path) => ({ from: file.replace('src/', ''), to: path.replace('src/', '') })),
).filter(({ to }) => to !== 'package.json');

test('there are sources, and their imports are found', () => {
  expect(SOURCES.length).toBeGreaterThan(25);
  expect(importsOf('src/authentication.ts')).toContain('src/proofs/tokens/tokens.ts');
});

test.each(Object.entries(MAY_IMPORT))('%s imports only what it may', (folder, allowed) => {
  const own = ARROWS.filter(({ from }) => isOf(folder, from));
  expect(SOURCES.filter((file) => isOf(folder, file.replace('src/', ''))).length).toBeGreaterThan(0);
  const foreign = own
    .filter(({ to }) => ![folder, ...allowed].some((place) => isOf(place, to)))
    .map(({ from, to }) => `${from} → ${to}`)
    .filter((arrow) => EXCEPTIONS[arrow] === undefined);
  expect(foreign).toEqual([]);
});

test('every file is of a room in the table, or of what stands above the rooms', () => {
  const places = [...Object.keys(MAY_IMPORT), ...ABOVE];
  const homeless = SOURCES.map((file) => file.replace('src/', '')).filter(
    (file) => !places.some((place) => isOf(place, file)),
  );
  expect(homeless).toEqual([]);
});

test('every exception is needed', () => {
  const arrows = new Set(ARROWS.map(({ from, to }) => `${from} → ${to}`));
  expect(Object.keys(EXCEPTIONS).filter((arrow) => !arrows.has(arrow))).toEqual([]);
});

test('the routes of one audience import none of another, and no database', () => {
  const audienceOf = (file: string) => /^routes\/[\w-]+\//.exec(file)?.[0];
  const foreign = ARROWS.filter(({ from }) => from.startsWith('routes/')).filter(
    ({ from, to }) =>
      /^(database|redis|mail)\//.test(to) || ![undefined, audienceOf(from)].includes(audienceOf(to)),
  );
  expect(foreign).toEqual([]);
});

test('only house.ts creates rooms; commands, the primary and the verifier create what they need of them', () => {
  const roomOf = (file: string) => Object.keys(MAY_IMPORT).find((place) => isOf(place, file));
  const creators = SOURCES.map((file) => file.replace('src/', '')).filter((file) =>
    [...readFileSync(`src/${file}`, 'utf8').matchAll(/import ([^;]*?) from '(\.[^']+)'/g)].some(
      ([, names = '', path = '']) => {
        const room = roomOf(normalize(join(dirname(file), path)));
        return /\bcreate[A-Z]/.test(names) && room !== 'base/' && room !== roomOf(file);
      },
    ),
  );
  expect(creators.filter((file) => !/^(cli|verifier)\//.test(file))).toEqual([
    'house.ts',
    'serve/primary.ts',
  ]);
});

test('only what assembles a process imports a listener of events', () => {
  const listeners = ARROWS.filter(({ to }) => to === 'events/log.ts').map(({ from }) => from);
  expect(listeners).toEqual(['cli/output.ts', 'house.ts', 'serve/primary.ts']);
});

test('nothing below the process imports serve/ or the command line', () => {
  const above = ARROWS.filter(({ to }) => /^(serve|cli)\//.test(to))
    .map(({ from }) => from)
    .filter((file) => !/^(serve|cli)\//.test(file));
  expect(new Set(above)).toEqual(new Set(['main.ts']));
});

test('the client imports nothing but itself, packages included', () => {
  const imports = SOURCES.filter((file) => file.startsWith('src/client/')).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import\()\s*'([^']+)'/g)].map(([, path = '']) => path),
  );
  expect(imports.length).toBeGreaterThan(10);
  expect(imports.filter((path) => !/^\.\/[\w-]+\.ts$/.test(path))).toEqual([]);
});

test('nothing of the service imports the client', () => {
  const users = ARROWS.filter(({ from, to }) => to.startsWith('client/') && !from.startsWith('client/'));
  expect(users).toEqual([]);
});

test('the verifier runs on Node.js 20, which has no URL.parse', () => {
  const reached = new Set(SOURCES.filter((file) => file.startsWith('src/verifier/')));
  for (const file of reached) for (const path of importsOf(file)) reached.add(path);
  expect([...reached]).toContain('src/proofs/dpop/dpop-proof.ts');
  const users = [...reached].filter((file) => readFileSync(file, 'utf8').includes('URL.parse('));
  expect(users).toEqual([]);
});

test('proofs and transports meet in few places', () => {
  const both = SOURCES.map((file) => file.replace('src/', ''))
    .filter((file) => !file.startsWith('proofs/') && !file.startsWith('transports/'))
    .filter((file) =>
      ['proofs/', 'transports/'].every((half) =>
        // What a route may answer names problems of both.
        ARROWS.some(({ from, to }) => from === file && to.startsWith(half) && !to.endsWith('/problems.ts')),
      ),
    );
  expect(both).toEqual(SEE_BOTH_HALVES);
});

test('only proofs/tokens/jwt.ts knows @fastify/jwt', () => {
  const users = SOURCES.filter((file) => readFileSync(file, 'utf8').includes("'@fastify/jwt'"));
  expect(users).toEqual(['src/proofs/tokens/jwt.ts']);
});

test('tokens know no request and no reply', () => {
  const mentions = SOURCES.filter((file) => file.startsWith('src/proofs/')).filter((file) =>
    /FastifyRequest|FastifyReply/.test(readFileSync(file, 'utf8')),
  );
  expect(mentions).toEqual([]);
});

test('only client-address.ts reads the address of a request, which a client may have written', () => {
  const readers = SOURCES.filter((file) =>
    /\.ips?\b|\{[^}]*\bips?\b[^}]*\} = request/.test(readFileSync(file, 'utf8')),
  );
  expect(readers).toEqual(['src/http/client-address.ts']);
});

test('only the process reads the environment', () => {
  const readers = SOURCES.filter((file) => /process\.env/.test(readFileSync(file, 'utf8')));
  // bin/idcard.js hands it in; fetch heeds a variable of Node.js; the test kit has to know by itself where it is
  expect(readers).toEqual(['src/verifier/document.ts', 'src/verifier/testing.ts']);
});

test('only config/ names a variable, but for those of Node.js and npm', () => {
  const readers = SOURCES.filter(
    (file) => !file.startsWith('src/config/') && /\benv(?:\.|\[)\w/.test(readFileSync(file, 'utf8')),
  );
  expect(readers).toEqual([
    'src/serve/server.ts', // UV_THREADPOOL_SIZE
    'src/serve/signals.ts', // npm_execpath
    'src/verifier/document.ts', // NODE_TLS_REJECT_UNAUTHORIZED
    'src/verifier/testing.ts', // NODE_ENV
  ]);
});
