import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  decode,
  logIn,
  START,
  type TestApp,
  type TokenBody,
} from './support/app.ts';

/* What may happen between the look-up of a user and the answer with tokens. */

let idcard: TestApp;
let userId: string;
let before: TokenBody;
/** What a request waits for just now, and how it is told to go on. */
let gate: { place: string; reached: () => void; opened: Promise<void> } | undefined;

async function pass(place: string): Promise<void> {
  if (gate?.place !== place) return;
  gate.reached();
  await gate.opened;
}

beforeEach(async () => {
  gate = undefined;
  idcard = await createTestApp({
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
  });
  const { verify } = idcard.hasher;
  idcard.hasher.verify = async (...given) => {
    await pass('hash');
    return verify(...given);
  };
  ({ id: userId } = await addUser(idcard));
  before = await logIn(idcard);
});
afterEach(() => idcard.close());

const routes = {
  login: () => idcard.post('/v1/login', ADA),
  loginByCookie: () => idcard.post('/v1/login', { ...ADA, transport: 'cookie' }),
  refresh: () => idcard.post('/v1/refresh', { refresh_token: before.refresh_token }),
  changePassword: () =>
    idcard.put(
      '/v1/me/password',
      { current_password: ADA.password, new_password: 'nine lazy clouds over Turin' },
      bearer(before.access_token),
    ),
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
async function whileWaiting(route: keyof typeof routes, place: string, happens: () => Promise<unknown>) {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  gate = { place, reached: reached.resolve, opened: opened.promise };
  const answer = routes[route]();
  await reached.promise;
  gate = undefined;
  await happens();
  opened.resolve();
  return answer;
}
const verify = async (token: string) => (await idcard.get('/v1/verify', bearer(token))).statusCode;

const seconds = (count: number) => async () => {
  idcard.time.now += count;
};

/** Straight in the database: this replica hears of it when it polls. */
const ban = () => idcard.directory.updateAndVoidTokens(userId, { status: 'disabled' });

describe.each(places)('a %s that waits for the %s', (route, place) => {
  test('has tokens that count from before, and says how long they are still good', async () => {
    const response = await whileWaiting(route, place, seconds(100));
    expect(response.statusCode).toBe(200);
    const { access_token, refresh_token, expires_in, refresh_expires_in } = response.json<TokenBody>();
    expect([expires_in, refresh_expires_in]).toEqual([200, 604_700]);
    for (const token of [access_token, refresh_token]) {
      expect(decode(token)).toMatchObject({ iat: START, auth_time: START });
    }
    idcard.time.now = START + 299;
    expect(await verify(access_token)).toBe(200);
    idcard.time.now = START + 300;
    expect(await verify(access_token)).toBe(401);
  });

  test('while the user is banned, has tokens that never come alive, however late the revocation is heard of', async () => {
    const response = await whileWaiting(route, place, async () => {
      idcard.time.now = START + 1;
      await ban();
      idcard.time.now = START + 290;
    });
    expect(response.statusCode).toBe(200);
    const { access_token, refresh_token } = response.json<TokenBody>();
    for (let second = 290; second < 1000; second += 2) {
      idcard.time.now = START + second;
      await idcard.app.pollRevocations();
      expect(await verify(access_token)).toBe(401);
    }
    const body = { refresh_token };
    const renewed = await idcard.post('/v1/refresh', body);
    expect(renewed.statusCode).toBe(401);
  });

  test('while the user is banned, is 503 where that was heard of, and then the truth', async () => {
    const response = await whileWaiting(route, place, async () => {
      await ban();
      await idcard.app.pollRevocations();
    });
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1']);
    expect(response.json()).toMatchObject({
      type: 'urn:idcard:problem:unavailable',
      detail: 'The user or the time has changed meanwhile; try again.',
    });
    expect((await routes[route]()).statusCode).toBe(401);
  });

  test('for a whole life of an access token is 503, and succeeds when it is tried again', async () => {
    const response = await whileWaiting(route, place, seconds(300));
    expect(response.statusCode).toBe(503);
    if (route !== 'changePassword') expect((await routes[route]()).statusCode).toBe(200);
  });

  test('while the clock is set back is 503 where its tokens would be from the future', async () => {
    const late = await whileWaiting(route, place, seconds(-6));
    expect(late.statusCode).toBe(503);
    idcard.time.now = START;
    if (route === 'changePassword') return;
    const inTime = await whileWaiting(route, place, seconds(-5));
    expect(inTime.statusCode).toBe(200);
    expect(await verify(inTime.json<TokenBody>().access_token)).toBe(200);
  });
});

test('cookies last as long as the tokens in them still do', async () => {
  const response = await whileWaiting('loginByCookie', 'hash', seconds(100));
  expect(response.cookies.map(({ maxAge }) => maxAge)).toEqual([200, 604_700, 2_592_000]);
});
