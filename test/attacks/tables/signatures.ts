import { sign } from 'node:crypto';
import { base64url, es256, forge, hmac, unsigned } from '../../support/forge.ts';
import { each, type Forgery, type Make, rows } from '../forgery.ts';
import { type Kind, strangersKey, type Target } from '../target.ts';

const NONE = ['none', 'None', 'NONE', 'nOnE', '', ' none', 'none ', 'null'];

/** Algorithms that promise nothing. */
export function withoutAlgorithm(kind: Kind): Forgery[] {
  const withAlg =
    (alg: string, signer: (target: Target) => (input: string) => string): Make =>
    (target) =>
      forge(target.header(kind, { alg }), target.claims(kind), signer(target));
  return rows('RFC 8725 §3.2, RFC 7518 §3.6', {
    ...each(
      NONE,
      (alg) => `alg "${alg}", unsigned`,
      (alg) => withAlg(alg, () => unsigned),
    ),
    ...each(
      NONE,
      (alg) => `alg "${alg}", with our signature`,
      (alg) => withAlg(alg, (target) => target.sign(kind)),
    ),
  });
}

/** The public key, in any spelling, as an HMAC secret. */
const spellings: Record<string, (target: Target) => Buffer | string> = {
  PEM: pem,
  'PEM, trimmed': (target) => pem(target).trim(),
  'PEM with CRLF': (target) => pem(target).replaceAll('\n', '\r\n'),
  'PEM with a BOM': (target) => `\ufeff${pem(target)}`,
  'PEM with blanks around': (target) => `  ${pem(target)}  `,
  'PEM with text around': (target) => `key:\n${pem(target)}\nend`,
  'PEM, its body alone': (target) => pem(target).split('\n').slice(1, -2).join(''),
  DER: ({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' }),
  JWK: ({ publicKey }) => JSON.stringify(publicKey.export({ format: 'jwk' })),
  'the x coordinate': ({ publicKey }) => String(publicKey.export({ format: 'jwk' }).x),
  'the kid': ({ kid }) => kid('access'),
  nothing: () => '',
};

function pem({ publicKey }: Target): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

export const confusedKeys: Forgery[] = Object.entries(spellings).flatMap(([name, key]) =>
  rows('RFC 8725 §2.1, CVE-2015-9235, CVE-2016-10555', {
    [`HS256 with the public key: ${name}`]: (target) =>
      forge(target.header('access', { alg: 'HS256' }), target.claims('access'), hmac(key(target))),
    [`HS512 with the public key: ${name}`]: (target) =>
      forge(target.header('access', { alg: 'HS512' }), target.claims('access'), hmac(key(target), 'sha512')),
    [`"ES256" that is an HMAC with the public key: ${name}`]: (target) =>
      forge(target.header('access'), target.claims('access'), hmac(key(target))),
    [`a refresh token with the public key as its secret: ${name}`]: (target) =>
      forge(target.header('refresh'), target.claims('refresh'), hmac(key(target))),
  }),
);

export const guessedSecrets: Forgery[] = [
  ...rows('RFC 8725 §2.2', {
    ...each(
      ['secret', 'changeme', 'your-256-bit-secret', 'idcard', '\0'.repeat(32)],
      (secret) => `the secret ${JSON.stringify(secret).slice(0, 24)}`,
      (secret) => (target) => forge(target.header('refresh'), target.claims('refresh'), hmac(secret)),
    ),
    'the secret as it stands in the file': ({ secret, header, claims }) =>
      forge(header('refresh'), claims('refresh'), hmac(secret.toString('base64url'))),
    'the secret without its last byte': ({ secret, header, claims }) =>
      forge(header('refresh'), claims('refresh'), hmac(withoutLastByte(secret))),
  }),
  ...rows('RFC 8725 §3.1', {
    'HS384 with our secret': ({ secret, header, claims }) =>
      forge(header('refresh', { alg: 'HS384' }), claims('refresh'), hmac(secret, 'sha384')),
    'HS512 with our secret': ({ secret, header, claims }) =>
      forge(header('refresh', { alg: 'HS512' }), claims('refresh'), hmac(secret, 'sha512')),
    'an HMAC of SHA-1': ({ secret, header, claims }) =>
      forge(header('refresh'), claims('refresh'), hmac(secret, 'sha1')),
  }),
];

/** Zeros at its end are none of its own: HMAC fills a key up with them (RFC 2104 §2). */
function withoutLastByte(secret: Buffer): Buffer {
  return secret.subarray(
    0,
    secret.findLastIndex((byte) => byte !== 0),
  );
}

export function brokenSignatures(kind: Kind): Forgery[] {
  const other = kind === 'access' ? 'refresh' : 'access';
  return rows('RFC 7515 §5.2', {
    'no signature': (target) => forge(target.header(kind), target.claims(kind), unsigned),
    'a signature cut short': (target) => target.token(kind).slice(0, -4),
    'a signature with more behind it': (target) => `${target.token(kind)}AAAA`,
    'a signature of zeros': (target) =>
      forge(target.header(kind), target.claims(kind), () =>
        base64url(Buffer.alloc(kind === 'access' ? 64 : 32)),
      ),
    "another token's signature": (target) => {
      const [head, payload] = target.token(kind).split('.');
      return `${head}.${payload}.${target.token(kind, { jti: 'another' }).split('.')[2]}`;
    },
    'another payload under a good signature': (target) => {
      const [head, , signature] = target.real[kind].split('.');
      return `${head}.${base64url(target.claims(kind, { sub: 'somebody-else' }))}.${signature}`;
    },
    'another header under a good signature': (target) => {
      const [, payload, signature] = target.real[kind].split('.');
      return `${base64url(target.header(kind, { zip: 'none' }))}.${payload}.${signature}`;
    },
    'the key of the other kind': (target) =>
      forge(target.header(kind), target.claims(kind), target.sign(other)),
    'the key of the other kind, and its kid': (target) =>
      forge(
        { ...target.header(other), typ: `${kind === 'access' ? 'at' : 'rt'}+jwt` },
        target.claims(kind),
        target.sign(other),
      ),
  });
}

/** What is peculiar to signatures on a curve. */
export const brokenCurveSignatures: Forgery[] = [
  ...rows('CVE-2022-21449', {
    'r and s are 0': ({ header, claims }) =>
      forge(header('access'), claims('access'), () => base64url(Buffer.alloc(64))),
    'r and s are 1': ({ header, claims }) =>
      forge(header('access'), claims('access'), () =>
        base64url(Buffer.alloc(64, `${'00'.repeat(31)}01`, 'hex')),
      ),
    'r and s are the order of the curve': ({ header, claims }) =>
      forge(header('access'), claims('access'), () => base64url(Buffer.alloc(64, P256_ORDER, 'hex'))),
  }),
  ...rows('RFC 7518 §3.4', {
    "a stranger's key": ({ header, claims }) =>
      forge(header('access'), claims('access'), es256(strangersKey())),
    'DER instead of r and s': ({ header, claims, privateKey }) =>
      forge(header('access'), claims('access'), (input) =>
        base64url(sign('sha256', Buffer.from(input), privateKey)),
      ),
    'SHA-512 instead of SHA-256': ({ header, claims, privateKey }) =>
      forge(header('access'), claims('access'), (input) =>
        base64url(sign('sha512', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })),
      ),
  }),
  ...rows('RFC 4648 §3.5', {
    'the unused bits of the signature set': ({ token }) => {
      const text = token('access');
      const respelled = { A: 'B', Q: 'R', g: 'h', w: 'x' }[text.at(-1) ?? ''];
      return text.slice(0, -1) + respelled;
    },
  }),
];

const P256_ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
