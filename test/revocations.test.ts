import { beforeEach } from 'vitest';
import type { Directory } from '../src/users/directory.ts';
import {
  ADA,
  addUser,
  BOB,
  bearer,
  changePassword,
  decode,
  logIn,
  START,
  type TestApp,
} from './support/app.ts';
import { test as base, describe, expect, startIdcard } from './support/idcard.ts';

let isAway: boolean;
beforeEach(() => {
  isAway = false;
});

/** Two replicas that share the keys and the directory, as replicas do. */
const test = base
  .extend('here', ({ idcard, ada }) => ({ ...idcard, userId: ada.id }))
  .extend('there', async ({ here }) => {
    const there = await startIdcard({ jwks: here.jwks, directory: () => awayWhenTold(here.directory) });
    await there.app.ready();
    return there;
  });
type Here = TestApp & { userId: string };

function awayWhenTold(directory: Directory): Directory {
  return {
    ...directory,
    raisedSince: (since) => (isAway ? Promise.reject(new Error('away')) : directory.raisedSince(since)),
  };
}

async function verify({ get }: TestApp, token: string): Promise<number> {
  return (await get('/v1/verify', bearer(token))).statusCode;
}

const countermeasures: Record<string, (here: Here, token: string) => Promise<unknown>> = {
  'logging out everywhere': ({ post }, token) => post('/v1/logout-everywhere', undefined, bearer(token)),
  'a password change': changePassword,
  'a ban': ({ directory, userId }) => directory.updateAndVoidTokens(userId, { status: 'disabled' }),
  deletion: ({ directory, userId }) => directory.remove(userId),
  'the removal of a role': ({ directory, userId }) => directory.updateAndVoidTokens(userId, { roles: [] }),
};

describe.each(Object.entries(countermeasures))('after %s', (_name, act) => {
  test('an access token is void on every replica within one poll, remembered or not', async ({
    here,
    there,
  }) => {
    const [seen, unseen] = [(await logIn(here)).access_token, (await logIn(here)).access_token];
    expect(await verify(there, seen)).toBe(200);
    await act(here, seen);
    await here.app.pollRevocations();
    await there.app.pollRevocations();
    for (const replica of [here, there]) {
      for (const token of [seen, unseen]) expect(await verify(replica, token)).toBe(401);
    }
  });
});

test('until the poll the other replica still takes the token: that is the bound', async ({ here, there }) => {
  const { access_token } = await logIn(here);
  await here.directory.updateAndVoidTokens(here.userId, {});
  expect(await verify(there, access_token)).toBe(200);
  await there.app.pollRevocations();
  expect(await verify(there, access_token)).toBe(401);
});

test('the replica that was asked needs no poll', async ({ here }) => {
  const { access_token } = await logIn(here);
  await here.post('/v1/logout-everywhere', undefined, bearer(access_token));
  const refused = await here.get('/v1/verify', bearer(access_token));
  expect(refused).toBeProblem('invalid-token', { detail: 'The token has been revoked; log in again.' });
});

test('tokens issued after the revocation work, and so do those of others', async ({ here, there }) => {
  await addUser(here, BOB);
  const bob = await logIn(here, BOB);
  await here.directory.updateAndVoidTokens(here.userId, {});
  await there.app.pollRevocations();
  expect(await verify(there, (await logIn(there)).access_token)).toBe(200);
  expect(await verify(there, bob.access_token)).toBe(200);
});

test('a replica that starts knows of the revocations before it', async ({ here }) => {
  const { access_token } = await logIn(here);
  await here.directory.updateAndVoidTokens(here.userId, {});
  const late = await startIdcard({ jwks: here.jwks, directory: () => here.directory });
  expect(await verify(late, access_token)).toBe(401);
});

describe('while the directory is away', () => {
  async function goAway(there: TestApp): Promise<void> {
    isAway = true;
    there.time.now += 10;
    for (let poll = 0; poll < 5; poll++) await there.app.pollRevocations();
  }
  const readyz = async ({ get }: TestApp) => (await get('/readyz')).json();

  test('verification goes on, and what was revoked before stays revoked', async ({ here, there }) => {
    const [good, bad] = [await logIn(there, ADA), await logIn(there, ADA)];
    expect(await verify(there, good.access_token)).toBe(200);
    await here.directory.updateAndVoidTokens(here.userId, {});
    await there.app.pollRevocations();
    await goAway(there);
    expect(await verify(there, bad.access_token)).toBe(401);
    expect(await verify(there, (await logIn(here)).access_token)).toBe(200);
  });

  test('readiness says how long a revoked token may work', async ({ there }) => {
    expect(await readyz(there)).toEqual({
      status: 'ok',
      revocation_bound_seconds: 2,
      revocations_age_seconds: 0,
    });
    await goAway(there);
    expect(await readyz(there)).toEqual({
      status: 'degraded',
      revocation_bound_seconds: 300,
      revocations_age_seconds: 10,
    });
    isAway = false;
    await there.app.pollRevocations();
    expect(await readyz(there)).toMatchObject({ status: 'ok', revocations_age_seconds: 0 });
  });

  test('a replica that has not reached it since its start is not ready, so that a rollout goes no further', async ({
    here,
  }) => {
    isAway = true;
    const late = await startIdcard({ jwks: here.jwks, directory: () => awayWhenTold(here.directory) });
    await late.app.ready();
    const answer = await late.get('/readyz');
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2']);
    expect(answer.json().detail).toBe('This replica has not reached its user directory yet.');
    isAway = false;
    await late.app.pollRevocations();
    expect((await late.get('/readyz')).json().status).toBe('ok');
    isAway = true;
    await late.app.pollRevocations();
    expect((await late.get('/readyz')).statusCode).toBe(200);
  });

  test('a directory that does not even refuse is noticed after three polls', async ({ there }) => {
    there.time.now += 7;
    expect((await readyz(there)).status).toBe('degraded');
  });

  test('the log tells it once, and once that it is over', async ({ there }) => {
    await goAway(there);
    isAway = false;
    await there.app.pollRevocations();
    await there.app.pollRevocations();
    there.expectEvents('revocations.stale', 'revocations.current');
  });

  test('one question that it never answers is not the last', async ({ here }) => {
    let asked = 0;
    const hanging = await startIdcard({
      env: { REVOCATION_POLL_SECONDS: '1' },
      jwks: here.jwks,
      directory: () => ({
        ...here.directory,
        raisedSince: (since) =>
          ++asked === 2 ? new Promise(() => undefined) : here.directory.raisedSince(since),
      }),
    });
    await hanging.app.ready();
    const { access_token } = await logIn(hanging);
    await here.directory.updateAndVoidTokens(here.userId, {});
    await hanging.app.pollRevocations();
    hanging.expectEvents('login.succeeded', 'revocations.stale');
    expect(await verify(hanging, access_token)).toBe(200);
    await hanging.app.pollRevocations();
    expect(await verify(hanging, access_token)).toBe(401);
  });

  test('whatever was revoked meanwhile is void at the first poll after it', async ({ here, there }) => {
    const { access_token } = await logIn(there);
    await goAway(there);
    await here.directory.updateAndVoidTokens(here.userId, {});
    there.time.now += 200;
    isAway = false;
    await there.app.pollRevocations();
    expect(await verify(there, access_token)).toBe(401);
  });
});

describe('a clock that was ahead and is right again', () => {
  const DAY = 86_400;
  const leaps: Record<string, number[]> = {
    'for one poll': [DAY],
    'for three polls': [DAY, DAY + 2, DAY + 4],
    'again and again': [DAY, 0, 2 * DAY, 0, DAY, DAY],
    'and is set back beyond': [DAY, DAY, -60],
  };
  test.for(Object.entries(leaps))(
    '%s makes no revocation forgotten',
    async ([, seconds], { here, there }) => {
      const { access_token } = await logIn(here);
      await here.directory.updateAndVoidTokens(here.userId, {});
      for (const second of [0, ...seconds, 1]) {
        there.time.now = START + second;
        await there.app.pollRevocations();
        await there.get('/.well-known/revocations');
        expect(await verify(there, access_token)).toBe(401);
      }
      for (let second = 2; second < 700; second += 2) {
        there.time.now = START + second;
        await there.app.pollRevocations();
        expect(await verify(there, access_token)).toBe(401);
      }
    },
  );

  test('while the directory is away makes none forgotten either, and does not look as if it had answered', async ({
    here,
    there,
  }) => {
    const { access_token } = await logIn(here);
    await here.directory.updateAndVoidTokens(here.userId, {});
    for (const second of [0, DAY]) {
      there.time.now = START + second;
      await there.app.pollRevocations();
    }
    isAway = true;
    for (const second of [DAY + 2, DAY + 4, 10, 12]) {
      there.time.now = START + second;
      expect((await there.get('/readyz')).json().status).toBe(
        second === DAY + 2 || second === DAY + 4 ? 'ok' : 'degraded',
      );
      await there.app.pollRevocations();
      expect(await verify(there, access_token)).toBe(401);
    }
    isAway = false;
    await there.app.pollRevocations();
    expect((await there.get('/readyz')).json()).toMatchObject({
      status: 'ok',
      revocations_age_seconds: 0,
    });
  });

  test('asks for everything that matters, once', async ({ here }) => {
    const asked: number[] = [];
    const replica = await startIdcard({
      jwks: here.jwks,
      directory: () => ({
        ...here.directory,
        raisedSince: (since) => {
          asked.push(since - START);
          return here.directory.raisedSince(since);
        },
      }),
    });
    await replica.app.ready();
    for (const second of [2, DAY, 4, 6]) {
      replica.time.now = START + second;
      await replica.app.pollRevocations();
    }
    // A lifetime, the tolerance, what a commit may be late by; and that once more, as by every poll.
    const WINDOW = 300 + 5 + 60 + 60;
    expect(asked).toEqual([-WINDOW, -60, DAY - WINDOW, 4 - WINDOW, 4 - 60]);
  });
});

describe('a user who is banned while the clock is behind what it once said', () => {
  const HOUR = 3600;
  async function at(second: number, ...replicas: TestApp[]): Promise<void> {
    for (const replica of replicas) {
      replica.time.now = START + second;
      await replica.app.pollRevocations();
    }
  }
  const ban = ({ directory, userId }: Here) => directory.updateAndVoidTokens(userId, { status: 'disabled' });
  async function isRefusedBetween(
    token: string,
    from: number,
    until: number,
    ...replicas: TestApp[]
  ): Promise<void> {
    for (let second = from; second < until; second += 10) {
      await at(second, ...replicas);
      for (const replica of replicas) expect([second, await verify(replica, token)]).toEqual([second, 401]);
    }
  }

  test('is not let in by a token that it issued when it was ahead, once that begins', async ({
    here,
    there,
  }) => {
    await at(HOUR, here, there);
    const { access_token } = await logIn(here);
    await at(0, here, there);
    await ban(here);
    await isRefusedBetween(access_token, 2, HOUR + 310, here, there);
  });

  test('nor by one that no poll of the time knows of, where it was issued', async ({ here, there }) => {
    here.time.now = START + HOUR;
    const { access_token } = await logIn(here);
    await at(0, here, there);
    await ban(here);
    await at(2, here, there);
    for (let second = HOUR - 10; second < HOUR + 310; second += 10) {
      await at(second, here, there);
      expect([second, await verify(here, access_token)]).toEqual([second, 401]);
    }
  });

  test('nor by one of before it was set back, once it is right again', async ({ here, there }) => {
    const { access_token } = await logIn(here);
    await at(10, here, there);
    await at(-HOUR, here, there);
    await ban(here);
    await at(2 - HOUR, here, there);
    await isRefusedBetween(access_token, 20, 310, here, there);
  });

  test('is forgotten when the last of them has expired', async ({ here, there }) => {
    await at(HOUR, here, there);
    await at(0, here, there);
    await ban(here);
    const listed = async () => {
      const { body } = await there.get('/.well-known/revocations');
      return Object.keys(decode(body).revocations as object).length;
    };
    for (const [second, count] of [
      [2, 1],
      [HOUR + 299, 1],
      [HOUR + 301, 0],
    ] as const) {
      await at(second - 1, here, there);
      await at(second, here, there);
      expect([second, await listed()]).toEqual([second, count]);
    }
  });
});

test('the clock of the replica that revokes may be behind by a minute', async ({ here, there }) => {
  const { access_token } = await logIn(here);
  await there.app.pollRevocations();
  here.time.now = START - 59;
  await here.directory.updateAndVoidTokens(here.userId, {});
  await there.app.pollRevocations();
  expect(await verify(there, access_token)).toBe(401);
});
