import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { calculateThumbprint, generateKeyPair, generateProof, type KeyPair } from 'dpop';
import { beforeEach } from 'vitest';
import { ADA, addUser, BOB, decode, type TestApp, type TokenBody } from '../../support/app.ts';
import { describe, expect, startIdcard, test } from '../../support/idcard.ts';
import { createOauthClient, retried } from '../../support/oauth-client.ts';
import { findFreePort } from '../../support/process.ts';

let idcard: TestApp;
let url: string;

beforeEach(async () => {
  const port = await findFreePort();
  url = `http://127.0.0.1:${port}`;
  idcard = await startIdcard({ env: { PUBLIC_URL: url } });
  idcard.time.now = Math.floor(Date.now() / 1000); // from here on it stands still
  await addUser(idcard);
  await idcard.app.listen({ host: '127.0.0.1', port });
});

/** The members of a body that are looked at here. */
type Body = TokenBody & { email: string; error: string };
const bodyOf = async (response: Response) => (await response.json()) as Body;
const boundTo = (tokens: Pick<TokenBody, 'access_token' | 'refresh_token'>) => [
  decode(tokens.access_token).cnf,
  decode(tokens.refresh_token).cnf,
];

describe('oauth4webapi', () => {
  const refused = (error: string) => ({
    code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
    status: 401,
    cause: expect.arrayContaining([{ scheme: 'dpop', parameters: expect.objectContaining({ error }) }]),
  });

  test('logs in after one exchange of nonces, and both tokens are bound to its key', async () => {
    const client = await createOauthClient(url);
    const tokens = await client.logIn();
    expect(tokens.token_type).toBe('dpop');
    expect(boundTo(tokens)).toEqual([{ jkt: client.jkt }, { jkt: client.jkt }]);

    expect(client.answers.map(({ status }) => status)).toEqual([400, 200]);
    const [refusal, response] = await Promise.all(client.answers.map(bodyOf));
    expect([refusal?.error, response?.token_type]).toEqual(['use_dpop_nonce', 'DPoP']);
    const [first, second] = client.answers.map(({ headers }) => headers.get('dpop-nonce'));
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(second).toBe(first);
  });

  test('uses its token, and each answer brings the nonce for the next request', async () => {
    const client = await createOauthClient(url);
    const { access_token } = await client.logIn();
    const nonces = new Set<string | null>();
    for (let minute = 0; minute < 4; minute++) {
      const response = await client.ask(access_token, 'GET', '/v1/me');
      expect([response.status, (await bodyOf(response)).email]).toEqual([200, ADA.email]);
      nonces.add(response.headers.get('dpop-nonce'));
      idcard.time.now += 60;
    }
    expect(nonces.size).toBe(4);
  });

  test('is told the nonce by a challenge when its own is over, and goes on', async () => {
    const client = await createOauthClient(url);
    const { access_token } = await client.logIn();
    idcard.time.now += 120;
    const ask = () => client.ask(access_token, 'GET', '/v1/me');
    await expect(ask()).rejects.toMatchObject(refused('use_dpop_nonce'));
    expect((await ask()).status).toBe(200);
    idcard.time.now += 120;
    expect((await retried(ask)).status).toBe(200);
  });

  test('refreshes, and the new tokens are bound to the same key', async () => {
    const client = await createOauthClient(url);
    const { refresh_token } = await client.logIn();
    idcard.time.now += 86_400;
    const renewed = await client.refresh(refresh_token);
    expect(client.answers.map(({ status }) => status)).toEqual([400, 200, 400, 200]);
    expect(boundTo(renewed)).toEqual([{ jkt: client.jkt }, { jkt: client.jkt }]);
    expect((await client.ask(renewed.access_token, 'GET', '/v1/me')).status).toBe(200);
  });

  test('changes the password, and the new tokens are bound to the same key', async () => {
    const client = await createOauthClient(url);
    const { access_token } = await client.logIn();
    const change = { current_password: ADA.password, new_password: BOB.password };
    const response = await client.ask(access_token, 'PUT', '/v1/me/password', change);
    const tokens = await bodyOf(response);
    expect([response.status, tokens.token_type]).toEqual([200, 'DPoP']);
    expect(boundTo(tokens)).toEqual([{ jkt: client.jkt }, { jkt: client.jkt }]);
    expect((await client.ask(tokens.access_token, 'GET', '/v1/me')).status).toBe(200);
    await expect(client.ask(access_token, 'GET', '/v1/me')).rejects.toMatchObject(refused('invalid_token'));
  });

  test('logs out everywhere, and its own tokens are void too', async () => {
    const client = await createOauthClient(url);
    const { access_token, refresh_token } = await client.logIn();
    const response = await client.ask(access_token, 'POST', '/v1/logout-everywhere');
    expect([response.status, response.headers.get('dpop-nonce')]).toEqual([204, expect.any(String)]);
    await expect(client.ask(access_token, 'GET', '/v1/me')).rejects.toMatchObject(refused('invalid_token'));
    await expect(client.refresh(refresh_token)).rejects.toMatchObject({ status: 401 });
  });

  test.each([-3600, 3600])('is served with a clock that is wrong by %i seconds', async (seconds) => {
    const client = await createOauthClient(url, seconds);
    const { access_token, refresh_token } = await client.logIn();
    expect((await client.ask(access_token, 'GET', '/v1/me')).status).toBe(200);
    expect(boundTo(await client.refresh(refresh_token))).toEqual([{ jkt: client.jkt }, { jkt: client.jkt }]);
  });

  test('gets nowhere with a token of somebody else', async () => {
    const { access_token, refresh_token } = await (await createOauthClient(url)).logIn();
    const thief = await createOauthClient(url);
    const steal = () => thief.ask(access_token, 'GET', '/v1/me');
    await expect(retried(steal)).rejects.toMatchObject(refused('invalid_token'));
    await expect(thief.refresh(refresh_token)).rejects.toMatchObject({ status: 401 });
  });

  test('learns of a wrong password, and its nonce stays good', async () => {
    const client = await createOauthClient(url);
    await expect(client.logIn('a wrong password for her')).rejects.toMatchObject({ status: 401 });
    expect((await client.logIn()).token_type).toBe('dpop');
    expect(client.answers.map(({ status }) => status)).toEqual([400, 401, 200]);
  });
});

describe.each(['ES256', 'Ed25519'] as const)('dpop with %s', (algorithm) => {
  let keys: KeyPair;
  let jkt: string;
  let nonce: string | undefined;
  beforeEach(async () => {
    keys = await generateKeyPair(algorithm);
    jkt = await calculateThumbprint(keys.publicKey);
    nonce = undefined;
  });

  /** Sends a request with a proof, and keeps the nonce of the answer. */
  async function send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: object,
    token?: string,
  ) {
    const dpop = await generateProof(keys, url + path, method, nonce, token);
    const response = await fetch(url + path, {
      method,
      headers: { dpop, ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    nonce = response.headers.get('dpop-nonce') ?? nonce;
    return response;
  }

  test('a login, a request and a refresh, each after an exchange of nonces', async () => {
    const refused = await send('POST', '/v1/login', {}, ADA);
    expect([refused.status, (await bodyOf(refused)).error]).toEqual([400, 'use_dpop_nonce']);
    expect(refused.headers.get('www-authenticate')).toBeNull();
    const response = await send('POST', '/v1/login', {}, ADA);
    const tokens = await bodyOf(response);
    expect([response.status, tokens.token_type, ...boundTo(tokens)]).toEqual([200, 'DPoP', { jkt }, { jkt }]);

    const authorization = `DPoP ${tokens.access_token}`;
    const ask = () => send('GET', '/v1/me', { authorization }, undefined, tokens.access_token);
    nonce = undefined;
    const challenged = await ask();
    expect([challenged.status, (await bodyOf(challenged)).error]).toEqual([401, 'use_dpop_nonce']);
    expect(challenged.headers.get('www-authenticate')).toMatch(/^DPoP .*error="use_dpop_nonce".*, Bearer /);
    expect((await ask()).status).toBe(200);

    nonce = undefined;
    const renew = () => send('POST', '/v1/refresh', {}, { refresh_token: tokens.refresh_token });
    expect((await renew()).status).toBe(400);
    const renewed = await renew();
    expect([renewed.status, ...boundTo(await bodyOf(renewed))]).toEqual([200, { jkt }, { jkt }]);
  });

  test('cookies are bound as well, and nothing without a proof', async () => {
    const logIn = () => send('POST', '/v1/login', {}, { ...ADA, transport: 'cookie' });
    await logIn();
    const entered = await logIn();
    expect([entered.status, await entered.text()]).toEqual([204, '']);
    const cookiesOf = (response: Response) =>
      response.headers.getSetCookie().map((line) => line.split(';')[0]);
    const cookie = cookiesOf(entered).join('; ');
    const tokensOf = (response: Response) => cookiesOf(response).map((pair) => pair?.split('=')[1] ?? '');
    const [token = '', refreshToken = ''] = tokensOf(entered);
    expect([decode(token).cnf, decode(refreshToken).cnf]).toEqual([{ jkt }, { jkt }]);

    expect((await send('GET', '/v1/me', { cookie }, undefined, token)).status).toBe(200);
    expect((await fetch(`${url}/v1/me`, { headers: { cookie } })).status).toBe(401);
    expect((await fetch(`${url}/v1/refresh`, { method: 'POST', headers: { cookie } })).status).toBe(400);
    const renewed = await send('POST', '/v1/refresh', { cookie });
    expect(renewed.status).toBe(204);
    expect(tokensOf(renewed).map((text) => decode(text).cnf)).toEqual([{ jkt }, { jkt }]);
  });

  test('two DPoP headers on the wire are refused, where one is accepted', async () => {
    await send('POST', '/v1/login', {}, ADA);
    const proof = () => generateProof(keys, `${url}/v1/login`, 'POST', nonce);
    expect(await logInWith([await proof(), await proof()])).toBe(400);
    expect(await logInWith([await proof()])).toBe(200);
  });

  /** Not by fetch, which joins headers before it sends them. */
  async function logInWith(dpop: string[]): Promise<number | undefined> {
    const headers = { dpop, 'content-type': 'application/json' };
    const request = httpRequest(`${url}/v1/login`, { method: 'POST', headers, agent: false });
    request.end(JSON.stringify(ADA));
    const [response] = await once(request, 'response');
    return response.resume().statusCode;
  }
});

test.each(['RS256', 'PS256'] as const)('dpop with %s is refused', async (algorithm) => {
  const dpop = await generateProof(await generateKeyPair(algorithm), `${url}/v1/login`, 'POST');
  const headers = { dpop, 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/login`, { method: 'POST', headers, body: JSON.stringify(ADA) });
  expect([response.status, (await bodyOf(response)).error]).toEqual([400, 'invalid_dpop_proof']);
});
