import fc from 'fast-check';
import { beforeEach } from 'vitest';
import { readConfig, type SigningAlgorithm } from '../../../src/config/config.ts';
import type { PrivateJwk } from '../../../src/proofs/keys/jwk.ts';
import { generateKeySet, revoke, rotate } from '../../../src/proofs/keys/key-rotation.ts';
import { createKeySet, type PrivateJwkSet, signingKey } from '../../../src/proofs/keys/key-set.ts';
import { addUser, bearer, decode, logIn, START, type TestApp } from '../../support/app.ts';
import { test as base, describe, expect, startIdcard } from '../../support/idcard.ts';

const config = readConfig({});
const using = (algorithm: SigningAlgorithm) => ({ ...config, keys: { ...config.keys, algorithm } });
const ACTIVE_FROM = START + 3600;
const WEEK = config.tokens.refreshTokenIdleSeconds;
const MARGIN = config.tokens.clockToleranceSeconds;

let before: PrivateJwkSet;
let after: PrivateJwkSet;

beforeEach(() => {
  before = generateKeySet(config.keys, START);
  after = rotate(before, config, START, ACTIVE_FROM);
});

/** Two replicas, one not yet restarted, with one directory between them: the same user in both. */
const test = base
  .extend('old', async () => {
    const old = await startIdcard({ jwks: before });
    await addUser(old);
    return old;
  })
  .extend('restarted', ({ old }) => startIdcard({ jwks: after, directory: () => old.directory }));

function setTime(now: number, ...replicas: TestApp[]): void {
  for (const { time } of replicas) time.now = now;
}

async function accepts({ get, post }: TestApp, tokens: { access_token: string; refresh_token: string }) {
  const verified = await get('/v1/verify', bearer(tokens.access_token));
  const refreshed = await post('/v1/refresh', { refresh_token: tokens.refresh_token });
  return [verified.statusCode, refreshed.statusCode];
}

test('until the new keys are active every replica takes the tokens of every other', async ({
  old,
  restarted,
}) => {
  for (const now of [START, ACTIVE_FROM - 1]) {
    setTime(now, old, restarted);
    const [fromOld, fromRestarted] = [await logIn(old), await logIn(restarted)];
    expect(decode(fromRestarted.access_token, 0).kid).toBe(before.keys[0]?.kid);
    expect(await accepts(restarted, fromOld)).toEqual([200, 200]);
    expect(await accepts(old, fromRestarted)).toEqual([200, 200]);
  }
});

test('the new public key is published long before it signs', () => {
  const kids = createKeySet(JSON.stringify(after), 'ES256', () => START)
    .jwks()
    .keys.map((key) => key.kid);
  expect(kids).toEqual([before.keys[0]?.kid, after.keys[2]?.kid]);
});

test('from the second on which they are active the new keys sign, and tokens of the old ones live on', async ({
  old,
  restarted,
}) => {
  setTime(ACTIVE_FROM - 1, old, restarted);
  const tokens = await logIn(old);
  setTime(ACTIVE_FROM, old, restarted);
  const renewed = await logIn(restarted);
  expect(decode(renewed.access_token, 0).kid).toBe(after.keys[2]?.kid);
  expect(decode(renewed.refresh_token, 0).kid).toBe(after.keys[3]?.kid);
  expect(await accepts(restarted, tokens)).toEqual([200, 200]);
});

describe('an old key is retired when the last token it signed has expired', () => {
  const keySet = (now: number) => createKeySet(JSON.stringify(after), 'ES256', () => now);

  test('for access tokens', () => {
    const end = ACTIVE_FROM + 300 + MARGIN;
    const kid = before.keys[0]?.kid ?? '';
    expect(keySet(end - 1).verificationKey(kid)?.kid).toBe(kid);
    expect(keySet(end).verificationKey(kid)).toBeUndefined();
    expect(keySet(end).jwks().keys).toHaveLength(1);
  });

  test('for refresh tokens', () => {
    const end = ACTIVE_FROM + WEEK + MARGIN;
    const kid = before.keys[1]?.kid ?? '';
    expect(keySet(end - 1).verificationKey(kid)?.kid).toBe(kid);
    expect(keySet(end).verificationKey(kid)).toBeUndefined();
  });
});

test('a token that was remembered dies with its key', async () => {
  const retiring = {
    keys: after.keys.map((key, index) => (index === 0 ? { ...key, exp: START + 100 } : key)),
  };
  const idcard = await startIdcard({ jwks: retiring });
  await addUser(idcard);
  const { access_token } = await logIn(idcard);
  const verify = () => idcard.get('/v1/verify', bearer(access_token));
  expect((await verify()).statusCode).toBe(200);
  idcard.time.now = START + 99;
  expect((await verify()).statusCode).toBe(200);
  idcard.time.now = START + 100;
  expect(await verify()).toBeProblem('invalid-token');
});

test('a clock that is behind the first key signs with it all the same', () => {
  const keySet = createKeySet(JSON.stringify(before), 'ES256', () => START - 30);
  expect(keySet.signingKey('access').kid).toBe(before.keys[0]?.kid);
});

test('when every key of a kind is retired nothing is signed', () => {
  let now = START;
  const ending = { keys: before.keys.map((key) => ({ ...key, exp: START + 10 })) };
  const keySet = createKeySet(JSON.stringify(ending), 'ES256', () => now);
  now = START + 10;
  expect(() => keySet.signingKey('access')).toThrow('Every key for access tokens is retired.');
});

test('rotating twice keeps the end that a key was given first, and drops what is retired', () => {
  const twice = rotate(after, config, START + 10, ACTIVE_FROM + 10);
  expect(twice.keys).toHaveLength(6);
  expect(twice.keys[0]?.exp).toBe(after.keys[0]?.exp);
  const later = rotate(twice, config, ACTIVE_FROM + 2 * WEEK, ACTIVE_FROM + 3 * WEEK);
  expect(later.keys).toHaveLength(4);
});

test.each(['RS256', 'EdDSA'] as const)('rotating can change the algorithm to %s', (algorithm) => {
  const changed = rotate(before, using(algorithm), START, ACTIVE_FROM);
  const keySet = createKeySet(JSON.stringify(changed), algorithm, () => ACTIVE_FROM);
  expect(keySet.signingKey('access').algorithm).toBe(algorithm);
});

describe('a leaked key is taken out at once', () => {
  const kids = (set: PrivateJwkSet) => set.keys.map((key) => key.kid);

  test.each([
    ['access', 0],
    ['refresh', 1],
  ] as const)(
    'the only key for %s tokens is replaced by one that signs now; the other kind stays',
    (kind, index) => {
      const revoked = revoke(before, config, before.keys[index]?.kid ?? '', START);
      expect(revoked.keys).toHaveLength(2);
      expect(kids(revoked)).not.toContain(before.keys[index]?.kid);
      expect(kids(revoked)).toContain(before.keys[1 - index]?.kid);
      const keySet = createKeySet(JSON.stringify(revoked), 'ES256', () => START);
      expect(keySet.signingKey(kind)).toMatchObject({ kid: revoked.keys[1]?.kid, signsFromSeconds: START });
    },
  );

  const signerOf = (set: PrivateJwkSet, kind: 'access' | 'refresh', now: number) =>
    signingKey(createKeySet(JSON.stringify(set), 'ES256', () => now).keys, kind, now);

  describe.each([
    ['access', 0, 300],
    ['refresh', 1, WEEK],
  ] as const)('while keys for %s tokens rotate:', (kind, index, lifetime) => {
    const [other, next] = [1 - index, index + 2];
    const at = START + 600;
    const ofOtherKind = (set: PrivateJwkSet) =>
      set.keys.filter((key) => [after.keys[other]?.kid, after.keys[other + 2]?.kid].includes(key.kid));

    test('for the one that signs, the next one signs from now on', () => {
      const revoked = revoke(after, config, kids(after)[index] ?? '', at);
      expect(ofOtherKind(revoked)).toEqual(ofOtherKind(after));
      expect(revoked.keys).toHaveLength(3);
      expect(revoked.keys).toContainEqual({ ...after.keys[next], nbf: at });
      expect(signerOf(revoked, kind, at).kid).toBe(after.keys[next]?.kid);
    });

    test('the next one is replaced by another, for the same time', () => {
      const revoked = revoke(after, config, kids(after)[next] ?? '', at);
      expect(revoked.keys.slice(0, 3)).toEqual(after.keys.filter((key) => key !== after.keys[next]));
      expect(revoked.keys[3]).toMatchObject({ kty: after.keys[next]?.kty, nbf: ACTIVE_FROM });
      expect(revoked.keys[3]?.exp).toBeUndefined();
    });

    test('the next one, shortly before its time, is replaced by one that is published for long enough', () => {
      const late = ACTIVE_FROM - 10;
      const revoked = revoke(after, config, kids(after)[next] ?? '', late);
      const activeFrom = late + config.keys.jwksMaxAgeSeconds;
      expect(revoked.keys.at(-1)?.nbf).toBe(activeFrom);
      expect(revoked.keys.find(({ kid }) => kid === after.keys[index]?.kid)?.exp).toBe(
        activeFrom + lifetime + MARGIN,
      );
      expect(ofOtherKind(revoked)).toEqual(ofOtherKind(after));
    });

    test('the next one of two that wait is replaced by the other, until whose time the one that signs goes on', () => {
      const twice = rotate(after, config, START + 10, ACTIVE_FROM + 600);
      const [signing, , second] = twice.keys.filter(({ kty }) => kty === after.keys[index]?.kty);
      const revoked = revoke(twice, config, kids(after)[next] ?? '', at);
      expect(revoked.keys.filter(({ kty }) => kty === signing?.kty)).toEqual([
        { ...signing, exp: ACTIVE_FROM + 600 + lifetime + MARGIN },
        second,
      ]);
      expect(signerOf(revoked, kind, ACTIVE_FROM + 599).kid).toBe(signing?.kid);
      expect(signerOf(revoked, kind, ACTIVE_FROM + 600).kid).toBe(second?.kid);
    });

    test('both, one after the other, are replaced by one that signs now', () => {
      const once = revoke(after, config, kids(after)[index] ?? '', at);
      const twice = revoke(once, config, kids(after)[next] ?? '', at + 1);
      expect(ofOtherKind(twice)).toEqual(ofOtherKind(after));
      expect(twice.keys).toHaveLength(3);
      expect(signerOf(twice, kind, at + 1)).toMatchObject({
        kid: twice.keys[2]?.kid,
        signsFromSeconds: at + 1,
      });
    });

    test('one that is retired goes, and nothing else changes', () => {
      const retired = ACTIVE_FROM + lifetime + MARGIN;
      const revoked = revoke(after, config, kids(after)[index] ?? '', retired);
      expect(revoked.keys).toEqual(after.keys.filter((key) => key !== after.keys[index]));
    });
  });

  test('a next one of another algorithm keeps its day: a new one of the configured algorithm signs until then', () => {
    const changing = rotate(before, using('EdDSA'), START, ACTIVE_FROM);
    const revoked = revoke(changing, config, before.keys[0]?.kid ?? '', START + 60);
    expect(revoked.keys.slice(0, -1)).toEqual(changing.keys.slice(1));
    expect(revoked.keys.at(-1)).toMatchObject({
      alg: 'ES256',
      nbf: START + 60,
      exp: ACTIVE_FROM + 300 + MARGIN,
    });
    const configured = revoke(changing, using('EdDSA'), before.keys[0]?.kid ?? '', START + 60);
    expect(configured.keys).toEqual(
      [before.keys[1], changing.keys[2], changing.keys[3]].map((key, index) =>
        index === 0 ? changing.keys[1] : index === 1 ? { ...key, nbf: START + 60 } : key,
      ),
    );
  });

  test('the next one of another algorithm is replaced by one of the same', () => {
    const changing = rotate(before, using('EdDSA'), START, ACTIVE_FROM);
    const revoked = revoke(changing, config, changing.keys[2]?.kid ?? '', START);
    expect(revoked.keys.at(-1)).toMatchObject({ alg: 'EdDSA', nbf: ACTIVE_FROM });
  });

  test('by a clock that is behind all keys, the first one signs, and counts as such', () => {
    const revoked = revoke(after, config, after.keys[0]?.kid ?? '', START - 60);
    expect(revoked.keys).toContainEqual({ ...after.keys[2], nbf: START - 60 });
  });

  test('after the rotation the new key goes on signing when the old one is taken out', () => {
    const revoked = revoke(after, config, after.keys[0]?.kid ?? '', ACTIVE_FROM);
    expect(kids(revoked)).toEqual(kids(after).slice(1));
  });

  test('a key without nbf signs from the beginning, and needs no other', () => {
    const timeless = { keys: before.keys.map(({ nbf, ...key }) => key as PrivateJwk) };
    const secret = timeless.keys.filter((key) => key.kty === 'oct');
    expect(revoke(timeless, config, timeless.keys[0]?.kid ?? '', START).keys).toEqual([
      ...secret,
      expect.objectContaining({ kty: 'EC', nbf: START }),
    ]);
  });

  test('a kid that nobody has takes nothing out', () => {
    expect(revoke(before, config, 'unknown', START)).toEqual(before);
  });

  test('after the rotation the old key goes, and the one that signs stays', () => {
    const revoked = revoke(after, config, after.keys[1]?.kid ?? '', ACTIVE_FROM + 60);
    expect(revoked.keys).toEqual(after.keys.filter((_key, index) => index !== 1));
  });

  test('after the rotation a new one signs in place of the one that did, and the old one gets no younger', () => {
    const revoked = revoke(after, config, after.keys[3]?.kid ?? '', ACTIVE_FROM + 60);
    expect(revoked.keys.slice(0, 3)).toEqual(after.keys.slice(0, 3));
    expect(revoked.keys[3]).toMatchObject({ kty: 'oct', nbf: ACTIVE_FROM + 60 });
  });
});

describe('whatever is rotated and revoked, whenever,', () => {
  const command = fc.record({
    waitSeconds: fc.constantFrom(0, 1, 290, 400, 3599, 4000, WEEK),
    action: fc.oneof(
      fc.record({ rotateIn: fc.constantFrom(300, 301, 3600, 7200) }),
      fc.record({ revoke: fc.nat(7) }),
    ),
  });

  /** Every moment at which something begins or ends, and those beside it. */
  const moments = ({ keys }: PrivateJwkSet, now: number) =>
    keys
      .flatMap(({ nbf = 0, exp = 0 }) => [nbf - 1, nbf, exp - 1, exp])
      .concat(now)
      .filter((moment) => moment >= now);

  const expectNoGap = (set: PrivateJwkSet, now: number) => {
    const { keys } = createKeySet(JSON.stringify(set), 'ES256', () => now);
    for (const moment of moments(set, now)) {
      for (const [kind, lifetime] of [
        ['access', 300],
        ['refresh', WEEK],
      ] as const) {
        const signer = signingKey(keys, kind, moment);
        expect(signer.signsFromSeconds).toBeLessThanOrEqual(moment);
        expect(signer.retiredAtSeconds).toBeGreaterThanOrEqual(moment + lifetime);
      }
    }
  };

  test('there is a key that signs, and what it signs outlives no key; the other kind is left alone', () => {
    fc.assert(
      fc.property(fc.array(command, { minLength: 1, maxLength: 6 }), (commands) => {
        let set = before;
        let now = START;
        for (const { waitSeconds, action } of commands) {
          now += waitSeconds;
          if ('rotateIn' in action) set = rotate(set, config, now, now + action.rotateIn);
          else {
            const leaked = set.keys[action.revoke % set.keys.length];
            const others = ({ keys }: PrivateJwkSet) =>
              keys.filter(({ kty }) => (kty === 'oct') !== (leaked?.kty === 'oct'));
            const untouched = others(set);
            set = revoke(set, config, leaked?.kid ?? '', now);
            expect(others(set)).toEqual(untouched);
          }
          expectNoGap(set, now);
        }
      }),
      { numRuns: 60 },
    );
  });
});
