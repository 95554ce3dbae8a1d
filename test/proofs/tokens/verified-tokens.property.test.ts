import fc from 'fast-check';
import Fastify from 'fastify';
import { beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { Problem } from '../../../src/problems/problem.ts';
import { generateKeySet, revoke, rotate } from '../../../src/proofs/keys/key-rotation.ts';
import { createKeySet, type KeySet, type PrivateJwkSet } from '../../../src/proofs/keys/key-set.ts';
import { createRevocations, type Revocations } from '../../../src/proofs/revocations/revocations.ts';
import type { AccessClaims } from '../../../src/proofs/tokens/claims.ts';
import { type Jwt, registerJwt } from '../../../src/proofs/tokens/jwt.ts';
import { tokenProfiles } from '../../../src/proofs/tokens/profiles.ts';
import { createTokens, type Tokens } from '../../../src/proofs/tokens/tokens.ts';
import { createVerifiedTokens, type VerifiedTokens } from '../../../src/proofs/tokens/verified-tokens.ts';
import { decode, START } from '../../support/app.ts';
import { ACCESS_CLAIMS, forgeAccess } from '../../support/forge.ts';

const config = readConfig({});
const time = { now: START };
const clock = () => time.now;

/** The key of the first set retires earlier than `rotate` would have it, before its last tokens expire. */
const ACTIVE_FROM = START + 100;
const RETIRED_AT = START + 200;
const first = generateKeySet(config.keys, START);
const rotated: PrivateJwkSet = {
  keys: rotate(first, config, START, ACTIVE_FROM).keys.map((key) =>
    key.exp === undefined ? key : { ...key, exp: RETIRED_AT },
  ),
};
const leaked = revoke(rotated, config, first.keys[0]?.kid ?? '', START);
const stranger = generateKeySet(config.keys, START);

/** What a process may be started with. */
const generations: Generation[] = [];
type Generation = { keySet: KeySet; jwt: Jwt };
/** How often a signature was checked for the tokens that remember. */
let signaturesChecked = 0;

beforeAll(async () => {
  for (const jwks of [first, rotated, leaked]) {
    const keySet = createKeySet(JSON.stringify(jwks), config.keys.algorithm, clock);
    const jwt = await registerJwt(Fastify(), keySet, tokenProfiles(config.server.publicUrl, config.tokens));
    generations.push({ keySet, jwt });
  }
});

/** A process, and beside it one that remembers nothing. */
interface Twins {
  remembering: Tokens;
  forgetful: Tokens;
  verifiedTokens: VerifiedTokens;
}

function start(generation: number, revocations: Revocations, capacity: number): Twins {
  const { keySet, jwt } = generations[generation] as Generation;
  const { server, tokens: settings } = config;
  const dependencies = { issuer: server.publicUrl, settings, keySet, clock, revocations };
  const forgetful = createTokens({
    ...dependencies,
    jwt,
    verifiedTokens: { get: () => undefined, add: () => undefined, size: 0 },
  });
  const counting: Jwt = {
    ...jwt,
    verifySignature(key, token) {
      signaturesChecked++;
      return jwt.verifySignature(key, token);
    },
  };
  const remembered = createVerifiedTokens(capacity);
  const verifiedTokens: VerifiedTokens = {
    get: remembered.get,
    get size() {
      return remembered.size;
    },
    add(token, claims, ...validity) {
      expect({ claims }, 'only a good token is added').toEqual(answerOf(forgetful, token));
      remembered.add(token, claims, ...validity);
    },
  };
  const remembering = createTokens({ ...dependencies, jwt: counting, verifiedTokens });
  return { remembering, forgetful, verifiedTokens };
}

type Answer = { claims: AccessClaims } | { slug: string; detail: string };

function answerOf(tokens: Tokens, token: string): Answer {
  try {
    return { claims: tokens.verifyAccess(token) };
  } catch (error) {
    if (error instanceof Problem) return { slug: error.kind.slug, detail: error.message };
    throw error;
  }
}

/** Everything that a command may touch. */
interface World {
  twins: Twins;
  revocations: Revocations;
  capacity: number;
  /** Every token made so far, good or bad, with the claims that it was made of. */
  made: { token: string; claims: Record<string, unknown> }[];
  seen: Record<Outcome, number>;
}

type Outcome = 'refused' | 'accepted' | 'remembered';

interface Command {
  (world: World): void;
  /** How a counterexample names it. */
  [fc.toStringMethod](): string;
}

function command<T>(
  name: string,
  input: fc.Arbitrary<T>,
  run: (world: World, input: T) => void,
): fc.Arbitrary<Command> {
  return input.map((value) =>
    Object.assign((world: World) => run(world, value), {
      [fc.toStringMethod]: () => `${name} ${fc.stringify(value)}`,
    }),
  );
}

const user = fc.constantFrom('ada', 'bob', 'cyd', 'dan', 'eve');
const version = fc.integer({ min: 1, max: 4 });
const roles = fc.subarray(['admin', 'editor']);
/** Around zero, the tolerance, a lifetime, and a clock that is set back. */
const offset = fc.constantFrom(0, 1, -1, 5, -5, 6, -6, 10, 30, -30, 60, 300, -300);
/** One of the tokens made so far, mostly of the latest: 0 is the last one. */
const pick = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(60) });

function picked({ made }: World, back: number) {
  return made.at(-1 - (back % Math.max(made.length, 1)));
}

const login = fc.record({
  sub: user,
  ver: version,
  roles,
  jkt: fc.constantFrom(undefined, 'a-thumbprint'),
  secondsLeft: fc.constantFrom(900, 60, 1),
  waitedSeconds: fc.constantFrom(0, 0, 10, 299),
});
const issue = command('issue', login, (world, { secondsLeft, waitedSeconds, ...login }) => {
  const { twins, revocations, made } = world;
  const issuedAtSeconds = time.now - waitedSeconds;
  const authTimeSeconds = time.now + secondsLeft - config.tokens.loginMaxAgeSeconds;
  const full = { ...login, issuedAtSeconds, sid: 'a-login', authTimeSeconds, amr: ['pwd'] };
  if (revocations.isRevoked(login)) {
    expect(() => twins.remembering.issue(full)).toThrow(Problem);
    return;
  }
  const pair = twins.remembering.issue(full);
  // The refresh token is to be taken for an access token.
  for (const token of [pair.refreshToken, pair.accessToken]) made.push({ token, claims: decode(token) });
});

const keys = [...rotated.keys, ...stranger.keys];
const signers = keys.filter(({ kty }) => kty === 'EC');
/** Mostly what is good by itself. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary });
const forgery = fc.record({
  signer: fc.nat(signers.length - 1),
  times: fc.oneof(
    fc.record({ iat: fc.constant(-60), nbf: fc.constantFrom(-30, 0, 5) }), // a beginning of its own
    rarely(fc.record({ exp: offset, iat: offset, nbf: offset }, { requiredKeys: [] })),
  ),
  claims: rarely(
    fc.record(
      {
        aud: fc.constantFrom('api', 'shop', ['shop', 'api'], []),
        iss: fc.constantFrom(config.server.publicUrl, 'https://evil.example'),
        sub: user,
        ver: fc.oneof(version, fc.constant('1')),
        roles,
        cnf: fc.constant({ jkt: 'a-thumbprint' }),
        unknown: fc.constant('claim'),
      },
      { requiredKeys: [] },
    ),
  ),
  header: rarely(
    fc.record(
      {
        typ: fc.constantFrom('at+jwt', 'rt+jwt', 'JWT'),
        kid: fc.constantFrom(...keys.map(({ kid }) => kid)),
        crit: fc.constant(['exp']),
      },
      { requiredKeys: [] },
    ),
  ),
});
const forge = command('forge', forgery, ({ made }, { signer, times, claims, header }) => {
  const seconds = Object.entries({ exp: 300, iat: 0, ...times }).map(([name, from]) => [
    name,
    time.now + from,
  ]);
  const all = { ...ACCESS_CLAIMS, ...claims, ...Object.fromEntries(seconds) };
  made.push({ token: forgeAccess({ keys: signers.slice(signer) }, all, header), claims: all });
});

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const character = fc.constantFrom(...BASE64URL, ...'.=+/ \0\u00e9');
const change = fc.record({ back: pick, at: fc.nat(4096), character });
const changeCharacter = command('change a character', change, (world, { back, at, character }) => {
  respell(world, back, (token) => {
    const index = at % (token.length + 1); // or one more at the end
    return token.slice(0, index) + character + token.slice(index + 1);
  });
});
/** A signature has four unused bits at its end: the text decodes to the same bytes. */
const unusedBits = fc.record({ back: pick, bits: fc.integer({ min: 1, max: 15 }) });
const setUnusedBits = command('set unused bits', unusedBits, (world, { back, bits }) => {
  respell(world, back, (token) => {
    const last = BASE64URL.indexOf(token.at(-1) ?? '');
    return token.slice(0, -1) + BASE64URL.charAt(last ^ bits);
  });
});

/** Whoever sees an ECDSA signature (r, s) can write (r, -s), which is as good: another text, with the same claims. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const negateSignature = command('negate the signature', pick, (world, back) => {
  respell(world, back, (token) => {
    const [header, payload, signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    if (bytes.length !== 64) return token; // of a refresh token, or changed before
    const s = ORDER - BigInt(`0x0${bytes.toString('hex', 32, 64)}`);
    bytes.write(s.toString(16).padStart(64, '0'), 32, 'hex');
    return `${header}.${payload}.${bytes.toString('base64url')}`;
  });
});

function respell(world: World, back: number, change: (token: string) => string): void {
  const original = picked(world, back);
  if (original) world.made.push({ ...original, token: change(original.token) });
}

const verify = command('verify', pick, (world, back) => compare(world, picked(world, back)?.token));

const step = command('step', offset, (_world, seconds) => {
  time.now += seconds;
});
const second = fc.record({
  back: pick,
  claim: fc.constantFrom('exp' as const, 'iat' as const, 'nbf' as const),
  seconds: fc.constantFrom(0, -1, 1, -5, -6),
});
const stepToToken = command("step to a token's", second, (world, { back, claim, seconds }) => {
  const { exp, iat, nbf = iat } = picked(world, back)?.claims ?? {};
  time.now = Number({ exp, iat, nbf }[claim] ?? time.now) + seconds;
});
const keyChange = fc.constantFrom(...[ACTIVE_FROM, RETIRED_AT].flatMap((at) => [at, at - 1, at + 1]));
const stepToKeyChange = command('step to', keyChange, (_world, second) => {
  time.now = second;
});

const raise = command('raise', fc.record({ sub: user, ver: version }), ({ revocations }, raised) =>
  revocations.add([{ ...raised, raisedAtSeconds: time.now }]),
);
const prune = command('prune', fc.constant(undefined), ({ revocations }) => revocations.prune(time.now));
const restart = command('restart', fc.nat(2), (world, generation) => {
  world.twins = start(generation, world.revocations, world.capacity);
});

const anyCommand = fc.oneof(
  { weight: 16, arbitrary: verify },
  { weight: 6, arbitrary: issue },
  { weight: 3, arbitrary: forge },
  { weight: 1, arbitrary: changeCharacter },
  { weight: 1, arbitrary: setUnusedBits },
  { weight: 1, arbitrary: negateSignature },
  { weight: 1, arbitrary: step },
  { weight: 1, arbitrary: stepToToken },
  { weight: 1, arbitrary: stepToKeyChange },
  { weight: 1, arbitrary: raise },
  { weight: 1, arbitrary: prune },
  { weight: 1, arbitrary: restart },
);

/** The same answer from both, and to another string of the same text again, which is known if it was good. */
function compare({ twins, seen }: World, token: string | undefined): void {
  if (token === undefined) return;
  const expected = answerOf(twins.forgetful, token);
  const checkedBefore = signaturesChecked;
  expect(answerOf(twins.remembering, token)).toStrictEqual(expected);
  if ('slug' in expected) {
    seen.refused++;
    return;
  }
  seen[signaturesChecked === checkedBefore ? 'remembered' : 'accepted']++;
  refuseChanges(twins.remembering.verifyAccess(token));
  const checkedOnce = signaturesChecked;
  expect(answerOf(twins.remembering, Buffer.from(token).toString())).toStrictEqual(expected);
  expect(signaturesChecked, 'an equal text is known').toBe(checkedOnce);
}

/** What is handed out is not to be changed, down to its lists. */
function refuseChanges(value: object): void {
  expect(() => Object.assign(value, { ver: 99, 0: 'root' })).toThrow(TypeError);
  for (const member of Object.values(value)) if (typeof member === 'object') refuseChanges(member);
}

describe.each([4, 7, 1000])('a process that remembers %d tokens', (capacity) => {
  test('answers like one that remembers none, whatever happens', { timeout: 120_000 }, () => {
    const seen: World['seen'] = { refused: 0, accepted: 0, remembered: 0 };
    fc.assert(
      fc.property(
        fc.nat(2),
        fc.array(anyCommand, { maxLength: 100, size: 'max' }),
        (generation, commands) => {
          time.now = START;
          const revocations = createRevocations(
            config.tokens.accessTokenTtlSeconds + config.tokens.clockToleranceSeconds,
          );
          const twins = start(generation, revocations, capacity);
          const world: World = { twins, revocations, capacity, made: [], seen };
          for (const run of commands) {
            run(world);
            expect(world.twins.verifiedTokens.size).toBeLessThanOrEqual(capacity);
          }
        },
      ),
      { numRuns: 500 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(300);
  });
});

describe('a flood of good tokens', () => {
  const uses = fc.array(fc.nat(1000), { maxLength: 100, size: 'max' });
  const use = (tokens: VerifiedTokens, token: string) => {
    const isKnown = tokens.get(token, START) !== undefined;
    if (!isKnown) tokens.add(token, ACCESS_CLAIMS, START, START + 300);
    return isKnown;
  };

  test('of no more than half the capacity between two uses never displaces a token in use', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 50 }), uses, uses, (capacity, before, between) => {
        const tokens = createVerifiedTokens(capacity);
        const half = Math.floor(capacity / 2);
        for (const index of before) use(tokens, `other ${index}`);
        for (const _ of 'twice') use(tokens, 'in use');
        for (const index of between) use(tokens, `other ${index % half}`);
        expect(use(tokens, 'in use')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('of the whole capacity, each used once, leaves all that are in use', () => {
    const tokens = createVerifiedTokens(100);
    const inUse = Array.from({ length: 30 }, (_, index) => `in use ${index}`);
    for (const token of [...inUse, ...inUse]) use(tokens, token);
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 70; index++) use(tokens, `flood ${round} ${index}`);
      expect(inUse.filter((token) => use(tokens, token))).toEqual(inUse);
    }
  });

  test('displaces what is no longer used', () => {
    const tokens = createVerifiedTokens(100);
    for (const _ of 'twice') use(tokens, 'used once upon a time');
    for (let index = 0; index < 200; index++) use(tokens, `flood ${index}`);
    expect(tokens.size).toBe(100);
    expect(use(tokens, 'used once upon a time')).toBe(false);
  });

  test('in steady use passes over no more than a hundred for each new token', () => {
    const tokens = createVerifiedTokens(1000);
    const flood = Array.from({ length: 1000 }, (_, index) => `flood ${index}`);
    for (const token of [...flood, ...flood]) use(tokens, token);
    use(tokens, 'new');
    const used = flood.filter((token) => tokens.get(token, START) !== undefined);
    expect(used).toEqual(flood.filter((_, index) => index !== 100));
  });
});
