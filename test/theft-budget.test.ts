import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../src/config/config.ts';
import { createEvents } from '../src/events/events.ts';
import { createRevocations } from '../src/proofs/revocations/revocations.ts';
import { formatTheftBudget, type TheftBudgetEntry, theftBudget } from '../src/proofs/theft-budget.ts';
import { createRevocationFeed } from '../src/revocation-feed.ts';
import type { Directory } from '../src/users/directory.ts';
import { ADA, addUser, bearer, logIn, START, type TestApp, type TokenBody } from './support/app.ts';
import {
  createProofKey,
  fetchNonce,
  forgeProof,
  logInBound,
  type ProofKey,
  proofClaims,
} from './support/dpop.ts';
import { forgeAccess, forgeRefresh } from './support/forge.ts';
import { startIdcard } from './support/idcard.ts';

/** Each cell is proven with the defaults and with other settings, so that no number can be a constant. */
const SETTINGS: Record<string, string>[] = [
  {},
  {
    ACCESS_TOKEN_TTL_SECONDS: '60',
    REFRESH_TOKEN_IDLE_SECONDS: '3600',
    LOGIN_MAX_AGE_SECONDS: '7200',
    REVOCATION_POLL_SECONDS: '7',
  },
];

describe.each(SETTINGS)('the theft budget with %o', (env) => {
  const config = readConfig(env);
  /** The owner's replica, and the one that the thief goes to. */
  let owners: TestApp;
  let thiefs: TestApp;
  let isAway: boolean;
  let userId: string;
  let stolen: TokenBody;

  beforeEach(async () => {
    isAway = false;
    owners = await startIdcard({ env });
    const shared = owners.directory;
    thiefs = await startIdcard({ env, jwks: owners.jwks, directory: () => awayWhenTold(shared) });
    ({ id: userId } = await addUser(owners));
    await thiefs.app.ready();
    stolen = await logIn(owners);
  });

  function awayWhenTold(directory: Directory): Directory {
    const unlessAway = <T>(answer: () => Promise<T>) =>
      isAway ? Promise.reject(new Error('away')) : answer();
    return {
      ...directory,
      raisedSince: (since) => unlessAway(() => directory.raisedSince(since)),
      findById: (id) => unlessAway(() => directory.findById(id)),
    };
  }

  const seconds = (kind: TheftBudgetEntry['stolen'], situation: TheftBudgetEntry['situation']) =>
    theftBudget(config.tokens).find((entry) => entry.stolen === kind && entry.situation === situation)
      ?.seconds ?? -1;

  /** Goes to a moment; the polls in between happen as they would. */
  async function goTo(second: number): Promise<void> {
    const lastPoll =
      START +
      Math.floor((second - START) / config.tokens.revocationPollSeconds) *
        config.tokens.revocationPollSeconds;
    thiefs.time.now = lastPoll;
    if (lastPoll > START) await thiefs.app.pollRevocations();
    thiefs.time.now = second;
    owners.time.now = second;
  }

  async function accessWorks(): Promise<boolean> {
    const response = await thiefs.get('/v1/verify', bearer(stolen.access_token));
    return response.statusCode === 200;
  }
  async function refresh(): Promise<TokenBody | undefined> {
    const body = { refresh_token: stolen.refresh_token };
    const response = await thiefs.post('/v1/refresh', body);
    return response.statusCode === 200 ? response.json() : undefined;
  }
  const revoke = () => owners.directory.updateAndVoidTokens(userId, { status: 'disabled' });

  test.each(['unnoticed_unused', 'unnoticed_used'] as const)('access token, %s', async (situation) => {
    const budget = seconds('access_token', situation);
    await goTo(START + budget - 1);
    expect(await accessWorks()).toBe(true);
    await goTo(START + budget);
    expect(await accessWorks()).toBe(false);
  });

  test('access token, revoked: it works until the next poll and not after it', async () => {
    const budget = seconds('access_token', 'revoked');
    await revoke();
    await goTo(START + budget - 1);
    expect(await accessWorks()).toBe(true);
    await goTo(START + budget);
    expect(await accessWorks()).toBe(false);
  });

  test('access token, revoked while the directory is away', async () => {
    const budget = seconds('access_token', 'revoked_directory_away');
    await revoke();
    isAway = true;
    await goTo(START + budget - 1);
    expect(await accessWorks()).toBe(true);
    await goTo(START + budget);
    expect(await accessWorks()).toBe(false);
  });

  test('refresh token, unnoticed and unused', async () => {
    const budget = seconds('refresh_token', 'unnoticed_unused');
    await goTo(START + budget - 1);
    expect(await refresh()).toBeDefined();
    await goTo(START + budget);
    expect(await refresh()).toBeUndefined();
  });

  test('refresh token, unnoticed and used as often as need be: also what it gave is dead then', async () => {
    const end = START + seconds('refresh_token', 'unnoticed_used');
    const step = config.tokens.refreshTokenIdleSeconds - 1;
    for (let now = START + step; now < end - 1; now += step) {
      await goTo(now);
      stolen = (await refresh()) ?? stolen;
    }
    await goTo(end - 1);
    stolen = (await refresh()) ?? stolen;
    expect(await accessWorks()).toBe(true);
    await goTo(end);
    expect(await refresh()).toBeUndefined();
    expect(await accessWorks()).toBe(false);
  });

  test('neither works for longer when it was issued under longer settings', async () => {
    const claims = { sub: userId, exp: START + 31_536_000 };
    stolen.access_token = forgeAccess(owners.jwks, claims);
    stolen.refresh_token = forgeRefresh(owners.jwks, { ...claims, sid: 'a-login' });
    const [access, refreshUnused] = [
      seconds('access_token', 'unnoticed_unused'),
      seconds('refresh_token', 'unnoticed_unused'),
    ];
    await goTo(START + access - 1);
    expect(await accessWorks()).toBe(true);
    await goTo(START + access);
    expect(await accessWorks()).toBe(false);
    await goTo(START + refreshUnused - 1);
    expect(await refresh()).toBeDefined();
    await goTo(START + refreshUnused);
    expect(await refresh()).toBeUndefined();
  });

  test('access token, revoked: it does not come back when the revocation is forgotten', async () => {
    await revoke();
    const end = START + 2 * seconds('access_token', 'unnoticed_used') + 200;
    for (
      let now = START + config.tokens.revocationPollSeconds;
      now < end;
      now += config.tokens.revocationPollSeconds
    ) {
      await goTo(now);
      expect(await accessWorks()).toBe(false);
    }
  });

  test('refresh token, revoked: at the same second', async () => {
    expect(seconds('refresh_token', 'revoked')).toBe(0);
    expect(await refresh()).toBeDefined();
    await revoke();
    expect(await refresh()).toBeUndefined();
  });

  test('refresh token, revoked while the directory is away: there is no refresh at all', async () => {
    expect(seconds('refresh_token', 'revoked_directory_away')).toBe(0);
    await revoke();
    isAway = true;
    expect(await refresh()).toBeUndefined();
  });

  test.each(['access_token', 'refresh_token'] as const)(
    '%s, bound to a key that the thief has not',
    async (kind) => {
      expect(seconds(kind, 'bound')).toBe(0);
      const [owner, thief] = [createProofKey(), createProofKey()];
      const bound = await logInBound(owners, owner);
      const nonce = await fetchNonce(thiefs);
      const statusWith = async (dpop: string | undefined) => {
        const headers = dpop === undefined ? {} : { dpop };
        const authorization = `DPoP ${bound.access_token}`;
        const body = { refresh_token: bound.refresh_token };
        const { statusCode } = await (kind === 'access_token'
          ? thiefs.get('/v1/verify', { ...headers, authorization })
          : thiefs.post('/v1/refresh', body, headers));
        return statusCode;
      };
      const prove = (key: ProofKey) =>
        kind === 'access_token'
          ? forgeProof(key, proofClaims('GET', '/v1/verify', nonce, bound.access_token))
          : forgeProof(key, proofClaims('POST', '/v1/refresh', nonce));
      expect([400, 401]).toContain(await statusWith(undefined));
      expect(await statusWith(prove(thief))).toBe(401);
      expect(await statusWith(prove(owner))).toBe(200);
    },
  );

  describe('device token', () => {
    /** Whether guesses at the account are counted apart for the thief, when strangers have used up its own. */
    async function deviceWorks(): Promise<boolean> {
      vi.spyOn(thiefs.hasher, 'verify').mockResolvedValue(false);
      const guess = async (remoteAddress: string, device?: string) => {
        const body = { ...ADA, ...(device && { device_token: device }) };
        return thiefs.app.inject({ method: 'POST', url: '/v1/login', remoteAddress, body });
      };
      for (let index = 0; index < 12; index++) await guess(`192.0.2.${index}`);
      return (await guess('192.0.2.99', stolen.device_token)).statusCode === 401;
    }

    test.each(['unnoticed_unused', 'unnoticed_used', 'revoked', 'revoked_directory_away', 'bound'] as const)(
      '%s: it gives a count of guesses, and no login',
      async (situation) => {
        const budget = seconds('device_token', situation);
        if (situation === 'bound') {
          const key = createProofKey();
          stolen = await logInBound(owners, key);
        }
        if (situation.startsWith('revoked')) await revoke();
        await goTo(START + budget - 1);
        if (situation === 'unnoticed_used') expect(await deviceWorks()).toBe(true);
        expect(await deviceWorks()).toBe(true);
        await goTo(START + budget);
        expect(await deviceWorks()).toBe(false);
        expect((await thiefs.get('/v1/me', bearer(stolen.device_token ?? ''))).statusCode).toBe(401);
      },
    );

    test('is void with the secret that made it', async () => {
      thiefs = await startIdcard({ env });
      await addUser(thiefs);
      expect(await deviceWorks()).toBe(false);
    });
  });

  test('the poll comes when the table says', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let polls = 0;
    async function raisedSince(): Promise<[]> {
      polls++;
      return [];
    }
    const directory = { ...owners.directory, raisedSince };
    const feed = createRevocationFeed({
      config: config.tokens,
      directory,
      revocations: createRevocations(300),
      keepSeconds: 300,
      clock: () => START,
      issuingClock: () => START,
      events: createEvents(),
    });
    feed.start();
    await vi.advanceTimersByTimeAsync(config.tokens.revocationPollSeconds * 1000 - 1);
    expect(polls).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(polls).toBe(1);
    await vi.advanceTimersByTimeAsync(config.tokens.revocationPollSeconds * 1000);
    expect(polls).toBe(2);
    feed.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(polls).toBe(2);
    vi.useRealTimers();
  });

  test('is published', async () => {
    const response = await owners.get('/v1/theft-budget');
    expect(response.json()).toEqual({ budget: theftBudget(config.tokens) });
  });
});

test('the threat model shows the table of the default settings', () => {
  const table = formatTheftBudget(theftBudget(readConfig({}).tokens));
  expect(readFileSync('docs/threat-model.md', 'utf8')).toContain(table);
});

test('the README shows rows of it, as they are', () => {
  const [shown = ''] = /^\| since the theft.*?(?=\n\n)/ms.exec(readFileSync('README.md', 'utf8')) ?? [];
  const rows = formatTheftBudget(theftBudget(readConfig({}).tokens)).split('\n');
  expect(shown.split('\n').length).toBeGreaterThan(3);
  expect(rows).toEqual(expect.arrayContaining(shown.split('\n')));
});
