import type { Attack, Outcome } from '../outcome.ts';
import type { Target } from '../target.ts';
import type { WireRequest } from '../wire.ts';
import { inOtherHeaders, underOtherSchemes } from './other-headers.ts';

type Place = (token: string) => WireRequest;
const JSON_BODY = ['Content-Type', 'application/json'] as const;
const FORM = ['Content-Type', 'application/x-www-form-urlencoded'] as const;

/** Good tokens where no token is looked for. */
export function misplaced({ real, revocations, token, lureUrl }: Target): Attack[] {
  const row = (source: string, outcome: Outcome, requests: Record<string, WireRequest>): Attack[] =>
    Object.entries(requests).map(([name, request]) => ({ name, source, outcome, request }));
  const verify = (name: string, value: string): WireRequest => ({
    path: '/v1/verify',
    headers: [[name, value]],
  });
  const refresh = (body: string, headers: WireRequest['headers'] = [JSON_BODY]): WireRequest => ({
    method: 'POST',
    path: '/v1/refresh',
    headers: headers ?? [],
    body,
  });
  const everywhere: Place = (body) => ({
    method: 'POST',
    path: '/v1/logout-everywhere',
    headers: [FORM],
    body,
  });
  const { access } = real;
  const bound = (kind: 'access' | 'refresh') => token(kind, { cnf: { jkt: 'a'.repeat(43) } });

  return [
    ...inOtherHeaders(access),
    ...underOtherSchemes(access),
    ...row('RFC 6750 §2.3', 'login required', {
      'a token in the query of GET /v1/verify': { path: `/v1/verify?access_token=${access}` },
      'a token in the query of GET /v1/me': { path: `/v1/me?access_token=${access}` },
      'a token in the query as "token"': { path: `/v1/me?token=${access}` },
      'a token in the query as "authorization"': { path: `/v1/me?authorization=Bearer%20${access}` },
      'a token in the query of a POST': {
        method: 'POST',
        path: `/v1/logout-everywhere?access_token=${access}`,
      },
    }),
    ...row('RFC 6750 §2.2', 'login required', {
      'a token in a form': everywhere(`access_token=${access}`),
      'a token in a JSON body': {
        method: 'POST',
        path: '/v1/logout-everywhere',
        headers: [JSON_BODY],
        body: JSON.stringify({ access_token: access }),
      },
      'a token in the body of a GET': {
        path: '/v1/me',
        headers: [JSON_BODY],
        body: JSON.stringify({ access_token: access }),
      },
    }),
    ...row('RFC 3986 §3.2.1', 'not found', {
      'a token in the path': { path: `/v1/me/${access}` },
      'a token behind a semicolon': { path: `/v1/me;access_token=${access}` },
    }),
    ...row('RFC 9700 §4.14', 'refresh token required', {
      'a refresh token in the query': { method: 'POST', path: `/v1/refresh?refresh_token=${real.refresh}` },
      'a refresh token in the Authorization header': {
        method: 'POST',
        path: '/v1/refresh',
        headers: [['Authorization', `Bearer ${real.refresh}`]],
      },
      'a refresh token in the access cookie, where one refreshes': {
        method: 'POST',
        path: '/v1/refresh',
        headers: [['Cookie', `access=${real['refresh cookie']}`]],
      },
      'a refresh token in a header of its own': {
        method: 'POST',
        path: '/v1/refresh',
        headers: [['X-Refresh-Token', real.refresh]],
      },
      'an empty object': refresh('{}'),
    }),
    ...row('RFC 6749 §6', 'no JSON', {
      'a refresh token in a form': refresh(`grant_type=refresh_token&refresh_token=${real.refresh}`, [FORM]),
      'a refresh token in a text': refresh(JSON.stringify({ refresh_token: real.refresh }), [
        ['Content-Type', 'text/plain'],
      ]),
      'a refresh token as the body itself': refresh(real.refresh, [['Content-Type', 'application/jwt']]),
    }),
    ...row('RFC 8259 §4', 'malformed', {
      'a refresh token under another name': refresh(JSON.stringify({ refreshToken: real.refresh })),
      'a refresh token as access_token': refresh(JSON.stringify({ access_token: real.refresh })),
      'a refresh token with a field beside it': refresh(
        JSON.stringify({ refresh_token: real.refresh, sub: 'somebody-else' }),
      ),
      'a refresh token in a list': refresh(JSON.stringify({ refresh_token: [real.refresh] })),
      'a refresh token in an object': refresh(JSON.stringify({ refresh_token: { token: real.refresh } })),
      'a refresh token in a list of bodies': refresh(JSON.stringify([{ refresh_token: real.refresh }])),
      'a refresh token as a JSON text': refresh(JSON.stringify(real.refresh)),
      'a refresh token that comes with __proto__': refresh(
        `{"__proto__":{"refresh_token":"${real.refresh}"}}`,
      ),
      'a refresh token that is null': refresh('{"refresh_token":null}'),
    }),
    ...row('RFC 6750 §2', 'several credentials', {
      'two Authorization headers': {
        path: '/v1/verify',
        headers: [
          ['Authorization', `Bearer ${access}`],
          ['authorization', 'Bearer x'],
        ],
      },
      'the same Authorization header twice': {
        path: '/v1/me',
        headers: [
          ['Authorization', `Bearer ${access}`],
          ['Authorization', `Bearer ${access}`],
        ],
      },
      'three Authorization headers of three schemes': {
        method: 'POST',
        path: '/v1/logout-everywhere',
        headers: [
          ['AUTHORIZATION', 'Basic YTpi'],
          ['Authorization', `Bearer ${access}`],
          ['authorization', 'DPoP x'],
        ],
      },
      'a header and a cookie': {
        path: '/v1/verify',
        headers: [
          ['Authorization', `Bearer ${access}`],
          ['Cookie', `access=${real['access cookie']}`],
        ],
      },
      'a header of another scheme, one of ours, and a cookie': {
        path: '/v1/verify',
        headers: [
          ['Authorization', 'Basic YTpi'],
          ['Authorization', `Bearer ${access}`],
          ['Cookie', `access=${real['access cookie']}`],
        ],
      },
      'a refresh cookie and a body': refresh(JSON.stringify({ refresh_token: real.refresh }), [
        JSON_BODY,
        ['Cookie', `refresh=${real['refresh cookie']}`],
      ]),
      'a refresh cookie and a header': {
        method: 'POST',
        path: '/v1/refresh',
        headers: [
          ['Authorization', `Bearer ${access}`],
          ['Cookie', `refresh=${real['refresh cookie']}`],
        ],
      },
    }),
    ...row('RFC 9449 §7.1', 'invalid token, of DPoP', {
      'an unbound token under the DPoP scheme': verify('Authorization', `DPoP ${access}`),
      'a refresh token under the DPoP scheme': verify('Authorization', `DPoP ${real.refresh}`),
      'the list of revocations under the DPoP scheme': verify('Authorization', `dpop ${revocations}`),
    }),
    ...row('RFC 9449 §7.1', 'invalid token', {
      'a bound token under the Bearer scheme': verify('Authorization', `Bearer ${bound('access')}`),
    }),
    ...row('RFC 9449 §7.1', 'invalid proof', {
      'a bound token without a proof': verify('Authorization', `DPoP ${bound('access')}`),
      'a bound token in a cookie, without a proof': verify('Cookie', `access=${bound('access')}`),
      'a bound token that is its own proof': {
        path: '/v1/verify',
        headers: [
          ['Authorization', `DPoP ${bound('access')}`],
          ['DPoP', bound('access')],
        ],
      },
    }),
    ...row('RFC 6454 §7', 'cross-site', {
      'a refresh cookie from another origin': {
        method: 'POST',
        path: '/v1/refresh',
        headers: [
          ['Cookie', `refresh=${real['refresh cookie']}`],
          ['Origin', new URL(lureUrl).origin],
        ],
      },
      'an access cookie, read from another origin': {
        path: '/v1/me',
        headers: [
          ['Cookie', `access=${real['access cookie']}`],
          ['Origin', new URL(lureUrl).origin],
        ],
      },
      'an access cookie in a handshake from a sandboxed frame': {
        path: '/v1/verify',
        headers: [
          ['Cookie', `access=${real['access cookie']}`],
          ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
          ['Origin', 'null'],
        ],
      },
      'an access cookie from two origins': {
        path: '/v1/verify',
        headers: [
          ['Cookie', `access=${real['access cookie']}`],
          ['Origin', new URL(lureUrl).origin],
          ['Origin', 'http://localhost:3000'],
        ],
      },
      'an access cookie from another origin': {
        method: 'POST',
        path: '/v1/logout-everywhere',
        headers: [
          ['Cookie', `access=${real['access cookie']}`],
          ['Sec-Fetch-Site', 'same-site'],
        ],
      },
    }),
  ];
}
