import { setTimeout as sleep } from 'node:timers/promises';
import { generateProof } from 'dpop';
import type { Answer, Exchange, Send } from '../client.ts';
import { PUBLIC_URL } from '../issuer.ts';
import type { Person, Tokens } from './people.ts';

type Request = Pick<Exchange, 'method' | 'path' | 'body'>;

/** An answer that must not be. */
export class Unexpected extends Error {}

/** What a person's device does by itself: it shows tokens and proofs, and keeps the tokens that it gets. */
export interface Device {
  /** Without tokens. @throws Unexpected unless the answer has this status */
  ask(person: Person, request: Request, status: number): Promise<Answer>;
  /** With an access token: the person's own, unless another is given. */
  askAs(person: Person, request: Request, status: number, tokens?: Tokens): Promise<Answer>;
  logIn(person: Person, status: number, password?: string): Promise<void>;
  refresh(person: Person, status: number, tokens?: Tokens): Promise<void>;
  changePassword(person: Person, newPassword: string): Promise<void>;
}

/** How often somebody who is told to come back does. */
const PATIENCE = 5;

/** @param onRefusal is told of each 503 with `Retry-After`, after which the same is asked again: nothing has happened */
export function createDevice(send: Send, accessTokenTtlSeconds: number, onRefusal: () => void): Device {
  /** What the server last asked proofs to carry. */
  let nonce: string | undefined;

  async function exchange(
    person: Person,
    request: Request,
    status: number,
    { headers = {}, accessToken }: { headers?: Record<string, string>; accessToken?: string } = {},
  ): Promise<Answer> {
    const htu = PUBLIC_URL + request.path;
    const attempt = async () => {
      const dpop =
        person.proofKey && (await generateProof(person.proofKey, htu, request.method, nonce, accessToken));
      return send({ ...request, from: person.address, headers: { ...headers, ...(dpop && { dpop }) } });
    };
    let answer = await attempt();
    for (let attempts = 1; attempts < PATIENCE; attempts++) {
      const newNonce = answer.headers['dpop-nonce'];
      if (typeof newNonce === 'string') nonce = newNonce;
      const retryAfterSeconds = Number(answer.headers['retry-after']);
      if (answer.status === 503 && retryAfterSeconds > 0) {
        onRefusal();
        await sleep(retryAfterSeconds * 1000);
      } else if (!answer.text.includes('use-dpop-nonce')) break; // RFC 9449 §8: again, with the nonce
      answer = await attempt();
    }
    if (answer.status === status) return answer;
    throw new Unexpected(`${answer.status} instead of ${status}: ${problemOf(answer)}`);
  }

  function keepTokens(person: Person, answer: Answer): void {
    const expiresAtMs = performance.now() + accessTokenTtlSeconds * 1000;
    person.tokens = { ...tokensOf(answer), expiresAtMs };
  }

  const ask: Device['ask'] = (person, request, status) => exchange(person, request, status);
  const askAs: Device['askAs'] = (person, request, status, tokens = ownTokens(person)) =>
    exchange(person, request, status, {
      headers: credentials(person, tokens),
      accessToken: tokens.access,
    });
  const issued = (person: Person) => (person.transport === 'cookie' ? 204 : 200);

  return {
    ask,
    askAs,
    async logIn(person, status, password = person.password) {
      const { email, transport } = person;
      const body = { email, password, transport };
      const expected = status === 200 ? issued(person) : status;
      const answer = await ask(person, { method: 'POST', path: '/v1/login', body }, expected);
      if (status === 200) keepTokens(person, answer);
    },
    async refresh(person, status, tokens = ownTokens(person)) {
      const request = { method: 'POST', path: '/v1/refresh' } as const;
      const expected = status === 200 ? issued(person) : status;
      const answer =
        person.transport === 'cookie'
          ? await exchange(person, request, expected, { headers: credentials(person, tokens) })
          : await ask(person, { ...request, body: { refresh_token: tokens.refresh } }, expected);
      if (status === 200) keepTokens(person, answer);
    },
    async changePassword(person, new_password) {
      const body = { current_password: person.password, new_password };
      const request = { method: 'PUT', path: '/v1/me/password', body } as const;
      keepTokens(person, await askAs(person, request, issued(person)));
      person.password = new_password;
    },
  };
}

export function ownTokens({ tokens }: Person): Tokens {
  if (!tokens) throw new Error('Somebody without tokens was taken for somebody with some.');
  return tokens;
}

function credentials({ transport, proofKey }: Person, { access, refresh }: Tokens): Record<string, string> {
  if (transport === 'cookie')
    return { cookie: `access=${access}; refresh=${refresh}`, 'sec-fetch-site': 'same-origin' };
  return { authorization: `${proofKey ? 'DPoP' : 'Bearer'} ${access}` };
}

function tokensOf({ headers, text }: Answer): Omit<Tokens, 'expiresAtMs'> {
  if (text !== '') {
    const { access_token, refresh_token } = JSON.parse(text);
    return { access: access_token, refresh: refresh_token };
  }
  const cookies = new Map(
    (headers['set-cookie'] ?? []).map(
      (cookie) => /^([^=]+)=([^;]*)/.exec(cookie)?.slice(1) as [string, string],
    ),
  );
  return { access: cookies.get('access') ?? '', refresh: cookies.get('refresh') ?? '' };
}

/** What a problem document says; no other answer is repeated, since it may hold a token. */
function problemOf({ headers, text }: Answer): string {
  return headers['content-type']?.startsWith('application/problem+json') ? text : 'no problem document';
}
