import { createPublicKey } from 'node:crypto';
import { base64url, es256, forge, unsigned } from '../../support/forge.ts';
import { each, type Forgery, rows, shown } from '../forgery.ts';
import { type Kind, strangersKey } from '../target.ts';

const KIDS = [
  undefined,
  null,
  1,
  {},
  [],
  '',
  'unknown',
  '__proto__',
  'constructor',
  'toString',
  '../../dev/null',
  '/dev/null\0',
  "' UNION SELECT 'key' --",
  '0',
  'x'.repeat(1024),
];
const TYPES = [
  undefined,
  null,
  1,
  '',
  'JWT',
  'AT+JWT',
  'RT+JWT',
  'application/at+jwt',
  'dpop+jwt',
  'revocations+jwt',
  ['at+jwt'],
];
const CRITS = [[], ['exp'], ['b64'], ['unknown'], ['alg', 'alg'], 'exp', null, 0, {}, [null]];
const ALGS = [
  undefined,
  null,
  1,
  [],
  ['ES256'],
  ['HS256'],
  'es256',
  'hs256',
  'ES384',
  'RS256',
  'PS256',
  'EdDSA',
  'ES256K',
];

/** Header members other than ours, under our own signature. */
export function hostileHeaders(kind: Kind): Forgery[] {
  const otherTyp = kind === 'access' ? 'rt+jwt' : 'at+jwt';
  const otherKind = kind === 'access' ? 'refresh' : 'access';
  return [
    ...rows('RFC 7515 §4.1.4, RFC 8725 §3.10', {
      ...each(
        KIDS,
        (kid) => `kid ${shown(kid)}`,
        (kid) =>
          ({ token }) =>
            token(kind, {}, { kid }),
      ),
      'the kid of the other kind': (target) => target.token(kind, {}, { kid: target.kid(otherKind) }),
      'a URL as kid': ({ token, lureUrl }) => token(kind, {}, { kid: lureUrl }),
      'the kid in another letter case': (target) =>
        target.token(kind, {}, { kid: swapCase(target.kid(kind)) }),
    }),
    ...rows(
      'RFC 8725 §3.11',
      each(
        [...TYPES, otherTyp],
        (typ) => `typ ${shown(typ)}`,
        (typ) =>
          ({ token }) =>
            token(kind, {}, { typ }),
      ),
    ),
    ...rows(
      'RFC 7515 §4.1.11, CVE-2025-59420',
      each(
        CRITS,
        (crit) => `crit ${shown(crit)}`,
        (crit) =>
          ({ token }) =>
            token(kind, {}, { crit }),
      ),
    ),
    ...rows(
      'RFC 8725 §3.1, CVE-2015-9235',
      each(
        ALGS,
        (alg) => `alg ${shown(alg)}`,
        (alg) =>
          ({ token }) =>
            token(kind, {}, { alg }),
      ),
    ),
    ...rows('RFC 7515 §5.2', {
      'a header that is an array': ({ claims, sign }) => forge([], claims(kind), sign(kind)),
      'a header that is null': ({ claims, sign }) => forge('null', claims(kind), sign(kind)),
      'a header that is a text': ({ claims, sign }) => forge('"at+jwt"', claims(kind), sign(kind)),
      'a header that is no JSON': ({ claims, sign }) => forge('{', claims(kind), sign(kind)),
      'a header that is empty': ({ claims, sign }) => forge('', claims(kind), sign(kind)),
    }),
    ...rows('RFC 7515 §4', {
      'alg named twice, none first': (target) =>
        forge(`{"alg":"none",${JSON.stringify(target.header(kind)).slice(1)}`, target.claims(kind), unsigned),
      'alg named twice, none last': (target) =>
        forge(
          `${JSON.stringify(target.header(kind)).slice(0, -1)},"alg":"none"}`,
          target.claims(kind),
          unsigned,
        ),
    }),
  ];
}

/** Keys that the token itself brings along, or points to. */
export const strangersKeys: Forgery[] = [
  ...rows('RFC 7515 §4.1.3, CVE-2018-0114', {
    'jwk of a stranger': ({ header, claims }) => {
      const key = strangersKey();
      const jwk = createPublicKey(key).export({ format: 'jwk' });
      return forge(header('access', { jwk }), claims('access'), es256(key));
    },
    'jwk of a stranger, with our kid in it': ({ header, claims, kid }) => {
      const key = strangersKey();
      const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid: kid('access') };
      return forge(header('access', { jwk }), claims('access'), es256(key));
    },
    'the stranger is called by no kid': ({ header, claims }) => {
      const key = strangersKey();
      const jwk = createPublicKey(key).export({ format: 'jwk' });
      return forge(header('access', { kid: undefined, jwk }), claims('access'), es256(key));
    },
  }),
  ...rows('RFC 8725 §3.10', {
    ...each(
      ['jku', 'x5u', 'kid'],
      (member) => `${member} leads to a stranger`,
      (member) =>
        ({ header, claims, lureUrl }) =>
          forge(header('access', { [member]: lureUrl }), claims('access'), es256(strangersKey())),
    ),
    'x5c of a stranger': ({ header, claims }) =>
      forge(header('access', { x5c: [base64url('a certificate')] }), claims('access'), es256(strangersKey())),
    'x5t of a stranger': ({ header, claims }) =>
      forge(header('access', { x5t: 'AAAA', 'x5t#S256': 'AAAA' }), claims('access'), es256(strangersKey())),
  }),
];

function swapCase(text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
}
