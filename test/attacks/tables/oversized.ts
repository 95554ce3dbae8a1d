import type { Attack } from '../outcome.ts';
import type { Target } from '../target.ts';
import type { WireRequest } from '../wire.ts';

/** From just over what a cookie may hold to over what a request may. */
const LENGTHS = [4_097, 5_000, 8_192, 12_288, 15_000, 17_000, 20_480];
const MAX_HEADERS = 16_384;
const MAX_BODY = 16_384;

/** Tokens that are well made, well signed, and too long. */
export function oversized(target: Target): Attack[] {
  const places: Record<string, (token: string) => WireRequest> = {
    'GET /v1/verify by header': (token) => ({
      path: '/v1/verify',
      headers: [['Authorization', `Bearer ${token}`]],
    }),
    'GET /v1/me by header': (token) => ({ path: '/v1/me', headers: [['Authorization', `Bearer ${token}`]] }),
    'POST /v1/logout-everywhere by header': (token) => ({
      method: 'POST',
      path: '/v1/logout-everywhere',
      headers: [['Authorization', `Bearer ${token}`]],
    }),
    'GET /v1/verify by cookie': (token) => ({
      path: '/v1/verify',
      headers: [['Cookie', `access=${token}`]],
    }),
    'POST /v1/refresh by cookie': (token) => ({
      method: 'POST',
      path: '/v1/refresh',
      headers: [['Cookie', `refresh=${token}`]],
    }),
    'POST /v1/refresh by body': (token) => ({
      method: 'POST',
      path: '/v1/refresh',
      headers: [['Content-Type', 'application/json']],
      body: JSON.stringify({ refresh_token: token }),
    }),
  };
  return Object.entries(places).flatMap(([place, put]) =>
    LENGTHS.map((length): Attack => {
      const request = put(tokenOfLength(target, place.includes('refresh') ? 'refresh' : 'access', length));
      return {
        name: `a signed token of ${length} characters to ${place}`,
        source: 'CWE-400, RFC 9110 §5.4',
        request,
        outcome: outcomeOf(request, length),
      };
    }),
  );
}

function outcomeOf({ body }: WireRequest, length: number): Attack['outcome'] {
  if (body !== undefined) return length > MAX_BODY ? 'body too large' : 'invalid token';
  return length > MAX_HEADERS ? 'headers too large' : 'invalid token';
}

/** Padded by a claim that nobody reads; at most three characters longer than asked for. */
function tokenOfLength({ token }: Target, kind: 'access' | 'refresh', length: number): string {
  const bare = token(kind, { padding: '' }).length;
  return token(kind, { padding: 'x'.repeat(Math.ceil(((length - bare) * 3) / 4)) });
}
