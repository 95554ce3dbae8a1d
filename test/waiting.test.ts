import { beforeEach } from 'vitest';
import { ADA, bearer, changePassword, decode, START, type TestApp, type TokenBody } from './support/app.ts';
import { test as base, describe, expect } from './support/idcard.ts';

/* What may happen between the look-up of a user and the answer with tokens. */

/** What a request waits for just now, and how it is told to go on. */
let gate: { place: string; reached: () => void; opened: Promise<void> } | undefined;

async function pass(place: string): Promise<void> {
  if (gate?.place !== place) return;
  gate.reached();
  await gate.opened;
}

beforeEach(() => {
  gate = undefined;
});

/** With Ada, and the tokens that she has already. */
interface Waiting extends TestApp {
  userId: string;
  before: TokenBody;
}

const test = base
  .extend('options', {
    directory: (real) => ({
      ...real,
      async findByEmail(email) {
        const user = await real.findByEmail(email);
        await pass('directory');
        return user;
      },
      async findById(id) {
        const user = await real.findById(id);
        await pass('directory');
        return user;
      },
      async updateAndVoidTokens(id, changes, condition) {
        const user = await real.updateAndVoidTokens(id, changes, condition);
        await pass('change');
        return user;
      },
    }),
    customClaims: async () => {
      await pass('customClaims');
      return {};
    },
  })
  .extend('waiting', ({ idcard, ada, tokens }): Waiting => {
    const { verify } = idcard.hasher;
    idcard.hasher.verify = async (...given) => {
      await pass('hash');
      return verify(...given);
    };
    return { ...idcard, userId: ada.id, before: tokens };
  });

const routes = {
  login: ({ post }: Waiting) => post('/v1/login', ADA),
  loginByCookie: ({ post }: Waiting) => post('/v1/login', { ...ADA, transport: 'cookie' }),
  refresh: ({ post, before }: Waiting) => post('/v1/refresh', { refresh_token: before.refresh_token }),
  changePassword: (waiting: Waiting) => changePassword(waiting, waiting.before.access_token),
};
const places: [keyof typeof routes, string][] = [
  ['login', 'directory'],
  ['login', 'hash'],
  ['login', 'customClaims'],
  ['refresh', 'directory'],
  ['refresh', 'customClaims'],
  ['changePassword', 'change'],
  ['changePassword', 'customClaims'],
];

/** The answer to a request that something happens to while it waits. */
async function whileWaiting(
  waiting: Waiting,
  route: keyof typeof routes,
  place: string,
  happens: () => Promise<unknown>,
) {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  gate = { place, reached: reached.resolve, opened: opened.promise };
  const answer = routes[route](waiting);
  await reached.promise;
  gate = undefined;
  await happens();
  opened.resolve();
  return answer;
}
const verify = async ({ get }: TestApp, token: string) => (await get('/v1/verify', bearer(token))).statusCode;

const seconds = (waiting: TestApp, count: number) => async () => {
  waiting.time.now += count;
};

/** Straight in the database: this replica hears of it when it polls. */
const ban = ({ directory, userId }: Waiting) => directory.updateAndVoidTokens(userId, { status: 'disabled' });

describe.each(places)('a %s that waits for the %s', (route, place) => {
  test('has tokens that count from before, and says how long they are still good', async ({ waiting }) => {
    const response = await whileWaiting(waiting, route, place, seconds(waiting, 100));
    expect(response.statusCode).toBe(200);
    const { access_token, refresh_token, expires_in, refresh_expires_in } = response.json<TokenBody>();
    expect([expires_in, refresh_expires_in]).toEqual([200, 604_700]);
    for (const token of [access_token, refresh_token]) {
      expect(decode(token)).toMatchObject({ iat: START, auth_time: START });
    }
    waiting.time.now = START + 299;
    expect(await verify(waiting, access_token)).toBe(200);
    waiting.time.now = START + 300;
    expect(await verify(waiting, access_token)).toBe(401);
  });

  test('while the user is banned, has tokens that never come alive, however late the revocation is heard of', async ({
    waiting,
  }) => {
    const response = await whileWaiting(waiting, route, place, async () => {
      waiting.time.now = START + 1;
      await ban(waiting);
      waiting.time.now = START + 290;
    });
    expect(response.statusCode).toBe(200);
    const { access_token, refresh_token } = response.json<TokenBody>();
    for (let second = 290; second < 1000; second += 2) {
      waiting.time.now = START + second;
      await waiting.app.pollRevocations();
      expect(await verify(waiting, access_token)).toBe(401);
    }
    expect(await waiting.post('/v1/refresh', { refresh_token })).toBeProblem('invalid-token');
  });

  test('while the user is banned, is 503 where that was heard of, and then the truth', async ({
    waiting,
  }) => {
    const response = await whileWaiting(waiting, route, place, async () => {
      await ban(waiting);
      await waiting.app.pollRevocations();
    });
    const detail = 'The user or the time has changed meanwhile; try again.';
    expect(response).toBeProblem('unavailable', { detail });
    expect(response.headers['retry-after']).toBe('1');
    expect((await routes[route](waiting)).statusCode).toBe(401);
  });

  test('for a whole life of an access token is 503, and succeeds when it is tried again', async ({
    waiting,
  }) => {
    const response = await whileWaiting(waiting, route, place, seconds(waiting, 300));
    expect(response).toBeProblem('unavailable');
    if (route !== 'changePassword') expect((await routes[route](waiting)).statusCode).toBe(200);
  });

  test('while the clock is set back is 503 where its tokens would be from the future', async ({
    waiting,
  }) => {
    const late = await whileWaiting(waiting, route, place, seconds(waiting, -6));
    expect(late).toBeProblem('unavailable');
    waiting.time.now = START;
    if (route === 'changePassword') return;
    const inTime = await whileWaiting(waiting, route, place, seconds(waiting, -5));
    expect(inTime.statusCode).toBe(200);
    expect(await verify(waiting, inTime.json<TokenBody>().access_token)).toBe(200);
  });
});

test('cookies last as long as the tokens in them still do', async ({ waiting }) => {
  const response = await whileWaiting(waiting, 'loginByCookie', 'hash', seconds(waiting, 100));
  expect(response.cookies.map(({ maxAge }) => maxAge)).toEqual([200, 604_700, 2_592_000]);
});
