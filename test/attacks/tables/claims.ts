import { forge } from '../../support/forge.ts';
import { each, type Forgery, rows, shown } from '../forgery.ts';
import type { Kind } from '../target.ts';

const REQUIRED = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'auth_time', 'amr', 'ver'];
const OF_KIND: Record<Kind, string[]> = { access: ['client_id', 'scope', 'roles'], refresh: ['sid'] };
const WRONG_TYPES = [null, {}, [1], true, -1, 1.5];
/** Half a minute more than the server tolerates. */
const AHEAD_SECONDS = 35;

/** Claims other than ours, under our own signature. */
export function hostileClaims(kind: Kind): Forgery[] {
  const names = [...REQUIRED, ...OF_KIND[kind]];
  return [
    ...rows(
      'RFC 9068 §2.2',
      each(
        names,
        (claim) => `no ${claim}`,
        (claim) =>
          ({ token }) =>
            token(kind, { [claim]: undefined }),
      ),
    ),
    ...names.flatMap((claim) =>
      rows(
        'RFC 7519 §4.1, RFC 8725 §3.8',
        each(
          WRONG_TYPES,
          (value) => `${claim} ${shown(value)}`,
          (value) =>
            ({ token }) =>
              token(kind, { [claim]: value }),
        ),
      ),
    ),
    ...rows('RFC 7519 §4.1.4', {
      'exp as a text': ({ token, now }) => token(kind, { exp: String(now() + 300) }),
      'exp now': ({ token, now }) => token(kind, { exp: now() }),
      'exp a second ago': ({ token, now }) => token(kind, { exp: now() - 1 }),
      'exp beyond whole numbers': ({ token }) => token(kind, { exp: 1e308 }),
    }),
    ...rows('RFC 7519 §4.1.5', {
      'nbf in the future': ({ token, now }) => token(kind, { nbf: now() + AHEAD_SECONDS }),
      'nbf as a text': ({ token }) => token(kind, { nbf: 'now' }),
      'nbf null': ({ token }) => token(kind, { nbf: null }),
      'iat in the future': ({ token, now }) => token(kind, { iat: now() + AHEAD_SECONDS }),
    }),
    ...rows('RFC 8725 §3.8', {
      'iss of another issuer': ({ token }) => token(kind, { iss: 'http://127.0.0.1:1' }),
      'iss with a slash behind': (target) => target.token(kind, { iss: `${issuer(target.real.access)}/` }),
      'iss in capitals': (target) => target.token(kind, { iss: issuer(target.real.access).toUpperCase() }),
      'iss with ours at its start': (target) =>
        target.token(kind, { iss: `${issuer(target.real.access)}.evil.example` }),
      'iss in a list': (target) => target.token(kind, { iss: [issuer(target.real.access)] }),
      'sub empty': ({ token }) => token(kind, { sub: '' }),
      'jti empty': ({ token }) => token(kind, { jti: '' }),
    }),
    ...rows('RFC 8725 §3.9', {
      'aud of another service': ({ token }) => token(kind, { aud: 'shop' }),
      'aud of the other kind': (target) =>
        target.token(kind, { aud: kind === 'access' ? issuer(target.real.access) : 'api' }),
      'aud empty': ({ token }) => token(kind, { aud: '' }),
      'aud an empty list': ({ token }) => token(kind, { aud: [] }),
      'aud a list of lists': ({ token }) => token(kind, { aud: [['api']] }),
      'aud with ours at its start': ({ token }) => token(kind, { aud: 'apix' }),
      'aud in capitals': ({ token }) => token(kind, { aud: 'API' }),
    }),
    ...rows(
      'RFC 7800 §3',
      each(
        [null, [], {}, 'jkt', { jkt: 1 }, { jkt: null }],
        (cnf) => `cnf ${shown(cnf)}`,
        (cnf) =>
          ({ token }) =>
            token(kind, { cnf }),
      ),
    ),
    ...rows(
      'RFC 7519 §4.1',
      each(
        kind === 'access' ? WRONG_TYPES : [],
        (email) => `email ${shown(email)}`,
        (email) =>
          ({ token }) =>
            token(kind, { email }),
      ),
    ),
    ...rows('RFC 7519 §7.2', {
      ...each(
        ['null', '[]', '"text"', '1', 'true', '', '{', '[{}]', '{"a":1}x', '\ufeff{}'],
        (payload) => `payload ${shown(payload)}`,
        (payload) => (target) => forge(target.header(kind), payload, target.sign(kind)),
      ),
      'payload that is no UTF-8': (target) =>
        forge(target.header(kind), Buffer.from([0xff, 0xfe]), target.sign(kind)),
      'payload a thousand levels deep': (target) =>
        forge(target.header(kind), '['.repeat(1000) + ']'.repeat(1000), target.sign(kind)),
    }),
  ];
}

function issuer(token: string): string {
  return String(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).iss);
}
