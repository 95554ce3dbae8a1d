import { forge } from '../../support/forge.ts';
import { each, type Forgery, rows } from '../forgery.ts';
import type { Kind } from '../target.ts';

const NO_TOKENS = [
  'a',
  '.',
  '..',
  '...',
  'a.b',
  'a.b.c',
  'a.b.c.d',
  'a.b.c.d.e',
  'undefined',
  'null',
  'true',
  '0',
  '[object Object]',
  '{}',
  '[]',
  '-',
  '%00',
  '../../etc/passwd',
  "' OR 1=1 --",
];

/** Texts that are not a JWS in compact serialization, though a good one is in some of them. */
export function brokenShapes(kind: Kind): Forgery[] {
  return [
    ...rows('RFC 7515 §7.1', {
      ...each(
        NO_TOKENS,
        (text) => `"${text}"`,
        (text) => () => text,
      ),
      'a segment missing': ({ real }) => real[kind].split('.').slice(0, 2).join('.'),
      'a segment twice': ({ real }) => `${real[kind]}.${real[kind].split('.')[2]}`,
      'segments in another order': ({ real }) => real[kind].split('.').reverse().join('.'),
      'a dot behind': ({ real }) => `${real[kind]}.`,
      'a dot before': ({ real }) => `.${real[kind]}`,
    }),
    ...rows('RFC 7516 §7.1, CVE-2023-51774', {
      'five segments, as a JWE has': ({ real }) => `${real[kind]}.e.f`,
      'five segments, said to be encrypted': (target) =>
        `${forge(target.header(kind, { alg: 'dir', enc: 'A256GCM' }), target.claims(kind), target.sign(kind))}.AAAA.AAAA`,
    }),
    ...rows('RFC 7515 §7.2', {
      'JSON serialization, flattened': ({ real }) => {
        const [head, payload, signature] = real[kind].split('.');
        return JSON.stringify({ protected: head, payload, signature });
      },
      'JSON serialization, general': ({ real }) => {
        const [head, payload, signature] = real[kind].split('.');
        return JSON.stringify({ payload, signatures: [{ protected: head, signature }] });
      },
    }),
    ...rows('RFC 7515 §2, RFC 4648 §3.3', {
      padding: ({ real }) => `${real[kind]}==`,
      'padding in the middle': ({ real }) => real[kind].replace('.', '=.'),
      'the other base64 alphabet': ({ real }) => `${real[kind].slice(0, -2)}+/`,
      'a percent sign': ({ real }) => real[kind].replace('.', '%2e'),
      'a blank in it': ({ real }) => real[kind].replace('.', ' .'),
      'a tab in it': ({ real }) => real[kind].replace('.', '\t.'),
      'in quotes': ({ real }) => `"${real[kind]}"`,
      'in angle brackets': ({ real }) => `<${real[kind]}>`,
      'in capitals': ({ real }) => real[kind].toUpperCase(),
      'a second token behind a comma': ({ real }) => `${real[kind]},${real[kind]}`,
      'a second token behind a blank': ({ real }) => `${real[kind]} ${real[kind]}`,
    }),
  ];
}

/** Good tokens of another kind; each is signed with a key of ours. */
export const otherKinds: Record<Kind, Forgery[]> = {
  access: rows('RFC 8725 §2.8, RFC 9068 §5', {
    'a refresh token': ({ real }) => real.refresh,
    'the refresh token of a cookie': ({ real }) => real['refresh cookie'],
    'a refresh token with the claims of an access token': ({ token, claims }) =>
      token('refresh', claims('access')),
    'a refresh token that says at+jwt': ({ token, claims }) =>
      token('refresh', claims('access'), { typ: 'at+jwt' }),
    'the list of revocations': ({ revocations }) => revocations,
    'the list of revocations, with a subject': ({ token }) => token('access', {}, { typ: 'revocations+jwt' }),
    'a DPoP proof': ({ token }) => token('access', {}, { typ: 'dpop+jwt' }),
  }),
  refresh: rows('RFC 8725 §2.8, RFC 9068 §5', {
    'an access token': ({ real }) => real.access,
    'the access token of a cookie': ({ real }) => real['access cookie'],
    'an access token with the claims of a refresh token': ({ token, claims }) =>
      token('access', claims('refresh')),
    'an access token that says rt+jwt': ({ token, claims }) =>
      token('access', claims('refresh'), { typ: 'rt+jwt' }),
    'the list of revocations': ({ revocations }) => revocations,
    'an empty text': () => '',
  }),
};
