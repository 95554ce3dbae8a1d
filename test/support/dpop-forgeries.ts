import { generateKeyPairSync, sign } from 'node:crypto';
import type { PrivateJwkSet } from '../../src/proofs/keys/key-set.ts';
import { START, type TokenBody } from './app.ts';
import { createProofKey, forgeProof, ORIGIN, type ProofKey, signer } from './dpop.ts';
import { base64url, forgeAccess, hmac, keyOf } from './forge.ts';

/** A request that wants a proof, and whatever an attacker may know. */
export interface Target {
  htm: string;
  path: string;
  ath: { ath?: string };
  nonce: string;
  key: ProofKey;
  tokens: TokenBody;
  jwks: PrivateJwkSet;
}

/** The values of the DPoP header, mostly one. */
type Forgery = (target: Target) => string | string[];
type Forgeries = Record<string, Forgery>;

/** A proof that is right for its target but for what is given. */
export function proofFor(target: Target, claims: object = {}, header: object = {}, by = signer(target.key)) {
  const { htm, path, nonce, ath, key } = target;
  return forgeProof(key, { htm, htu: ORIGIN + path, nonce, ...ath, ...claims }, header, by);
}

function each<T>(name: string, values: readonly T[], make: (value: T) => Forgery): Forgeries {
  const shown = (value: T) => String(JSON.stringify(value)).slice(0, 50);
  return Object.fromEntries(values.map((value) => [`${name} ${shown(value)}`, make(value)]));
}

const withHeader =
  (header: (target: Target) => object): Forgery =>
  (target) =>
    proofFor(target, {}, header(target));
const withJwk = (members: (key: ProofKey) => object): Forgery =>
  withHeader(({ key }) => ({ jwk: { ...key.jwk, ...members(key) } }));
const withClaim = (claim: string) => (value: unknown) => (target: Target) =>
  proofFor(target, { [claim]: value });
const withHtu =
  (htu: (target: Target) => string): Forgery =>
  (target) =>
    proofFor(target, { htu: htu(target) });
const x = ({ jwk }: ProofKey) => String(jwk.x);
/** Another spelling of the same bytes: the lowest of the unused bits of the last character is set. */
const respell = (text: string) =>
  text.slice(0, -1) + ({ A: 'B', Q: 'R', g: 'h', w: 'x' }[text.at(-1) ?? ''] ?? '_');
const respellX = (text: string) =>
  text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);

/** A proof that is right in itself, by a key of a kind that is not allowed. */
const byCurve = (alg: string, namedCurve: string, hash: string): Forgery => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const by = (input: string) =>
    base64url(sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }));
  return (target) => proofFor(target, {}, { alg, jwk: publicKey.export({ format: 'jwk' }) }, by);
};
const byRsa = (alg: string): Forgery => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const by = (input: string) => base64url(sign('sha256', Buffer.from(input), privateKey));
  return (target) => proofFor(target, {}, { alg, jwk: publicKey.export({ format: 'jwk' }) }, by);
};

const headers: Forgeries = {
  ...each(
    'RFC 9449 §4.3 check 4: typ',
    [undefined, null, 1, '', 'JWT', 'at+jwt', 'rt+jwt', 'DPOP+JWT', 'application/dpop+jwt', ['dpop+jwt']],
    (typ) => withHeader(() => ({ typ })),
  ),
  ...each(
    'RFC 9449 §4.3 check 5: alg',
    [undefined, null, 1, '', 'es256', 'RS256', 'PS256', 'ES384', 'EdDSA', 'Ed25519', 'HS256', ['ES256']],
    (alg) => withHeader(() => ({ alg })),
  ),
  ...each(
    'RFC 9449 §4.2: unsigned, alg',
    ['none', 'None', 'NONE', 'ES256'],
    (alg) => (target) => proofFor(target, {}, { alg }, () => ''),
  ),
  'RFC 8725 §3.1: HS256 with the public key as the secret': (target) =>
    proofFor(target, {}, { alg: 'HS256' }, hmac(JSON.stringify(target.key.jwk))),
  'RFC 8725 §3.1: ES256 that is an HMAC with x': (target) => proofFor(target, {}, {}, hmac(x(target.key))),
  'RFC 9449 §4.2: HS256 with a symmetric key of its own': (target) =>
    proofFor(target, {}, { alg: 'HS256', jwk: { kty: 'oct', k: 'c2VjcmV0' } }, hmac('secret')),
  'local policy: RS256 with a real RSA key': byRsa('RS256'),
  'local policy: ES256 with a real RSA key': byRsa('ES256'),
  'local policy: ES384 with a real P-384 key': byCurve('ES384', 'P-384', 'sha384'),
  'local policy: ES512 with a real P-521 key': byCurve('ES512', 'P-521', 'sha512'),
  'local policy: ES256K with a real secp256k1 key': byCurve('ES256K', 'secp256k1', 'sha256'),
  ...each('RFC 7515 §4.1.11: crit', [[], ['exp'], ['b64'], 'jwk', null, {}], (crit) =>
    withHeader(() => ({ crit })),
  ),
};

const keys: Forgeries = {
  ...each('RFC 9449 §4.2: jwk', [undefined, null, 1, '', {}, [], 'key', [{}]], (jwk) =>
    withHeader(() => ({ jwk })),
  ),
  'RFC 9449 §4.3 check 7: the private key in jwk': withJwk((key) => key.privateKey.export({ format: 'jwk' })),
  'RFC 9449 §4.3 check 7: a private member that is null': withJwk(() => ({ d: null })),
  'RFC 9449 §4.3 check 7: a symmetric member': withJwk(() => ({ k: 'c2VjcmV0' })),
  ...each('RFC 7518 §6.2.1: without', ['kty', 'crv', 'x', 'y'], (member) =>
    withJwk(() => ({ [member]: undefined })),
  ),
  ...each('RFC 7518 §6.2.1: in a list', ['kty', 'crv', 'x', 'y'] as const, (member) =>
    withJwk(({ jwk }) => ({ [member]: [jwk[member]] })),
  ),
  'RFC 7518 §6.2.1.1: a curve that the key is not on': withJwk(() => ({ crv: 'P-384' })),
  'RFC 7518 §6.2.1.2: x cut short': withJwk((key) => ({ x: x(key).slice(0, -1) })),
  'RFC 7518 §6.2.1.2: x too long': withJwk((key) => ({ x: `A${x(key)}` })),
  'RFC 7515 §2: x with padding': withJwk((key) => ({ x: `${x(key)}=` })),
  'RFC 4648 §3.5: x spelled with unused bits': withJwk((key) => ({ x: respellX(x(key)) })),
  'RFC 8725 §3.4: a point that is not on the curve': withJwk((key) => ({ y: x(key) })),
  'RFC 8725 §3.4: the point at zero': withJwk(() => ({ x: 'A'.repeat(43), y: 'A'.repeat(43) })),
  'RFC 9449 §4.3 check 6: the key of somebody else': withJwk(() => createProofKey().jwk),
  'RFC 9449 §4.3 check 5: an Ed25519 key with alg ES256': withHeader(() => ({
    jwk: createProofKey('EdDSA').jwk,
  })),
  'RFC 9449 §4.2: a key of the server named by kid, without jwk': withHeader(({ jwks }) => ({
    jwk: undefined,
    kid: keyOf(jwks, 'EC').kid,
  })),
  'RFC 8725 §3.10: a key behind an address, without jwk': withHeader(() => ({
    jwk: undefined,
    jku: 'http://127.0.0.1:9/jwks.json',
  })),
};

const signatures: Forgeries = {
  'RFC 9449 §4.3 check 6: by another key': (target) => proofFor(target, {}, {}, signer(createProofKey())),
  'RFC 9449 §4.3 check 6: of another payload': (target) => {
    const [head, payload] = proofFor(target).split('.');
    return `${head}.${payload}.${proofFor(target).split('.')[2]}`;
  },
  'RFC 7518 §3.4: all zeros': (target) => proofFor(target, {}, {}, () => base64url(Buffer.alloc(64))),
  'RFC 7518 §3.4: cut short': (target) => proofFor(target).slice(0, -4),
  'RFC 7518 §3.4: DER instead of r and s': (target) =>
    proofFor(target, {}, {}, (input) => base64url(sign('sha256', Buffer.from(input), target.key.privateKey))),
  'RFC 4648 §3.5: spelled with unused bits': (target) => respell(proofFor(target)),
};

const shapes: Forgeries = {
  ...each(
    'RFC 9449 §4.3 check 2:',
    ['', 'a', '..', 'a.b.c', 'a.b.c.d.e', 'null', '{}'],
    (text) => () => text,
  ),
  'RFC 9449 §4.3 check 1: two DPoP headers': (target) => [proofFor(target), proofFor(target)],
  'RFC 9449 §4.3 check 1: one proof in two DPoP headers': (target) => Array(2).fill(proofFor(target)),
  'RFC 9449 §4.3 check 2: a scheme before it': (target) => `DPoP ${proofFor(target)}`,
  'RFC 7515 §7.2: JSON serialization': (target) => {
    const [head, payload, signature] = proofFor(target).split('.');
    return JSON.stringify({ protected: head, payload, signature });
  },
  'longer than any proof': (target) => proofFor(target, { padding: 'x'.repeat(5000) }),
  ...each('RFC 7519 §7.2: payload', ['null', '[]', '"text"', '1', '', '{'], (payload) => ({ key }) => {
    const input = `${base64url({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk })}.${base64url(payload)}`;
    return `${input}.${signer(key)(input)}`;
  }),
  'RFC 8725 §3.11: the access token as proof': ({ tokens }) => tokens.access_token,
  'RFC 8725 §3.11: the refresh token as proof': ({ tokens }) => tokens.refresh_token,
  'RFC 8725 §3.11: a token by a key of the server that says dpop+jwt': ({ jwks }) =>
    forgeAccess(jwks, {}, { typ: 'dpop+jwt' }),
};

const claims: Forgeries = {
  ...each('RFC 9449 §4.2: without', ['jti', 'htm', 'htu', 'iat'], (claim) => withClaim(claim)(undefined)),
  ...each('RFC 9449 §4.2: jti', [null, 1, '', ['id'], 'x'.repeat(257)], withClaim('jti')),
  ...each('RFC 7519 §4.1.6: iat', [null, String(START), 'now', true, [START]], withClaim('iat')),
  ...each('RFC 9449 §4.2: nonce', [null, 1, {}], withClaim('nonce')),
  ...each(
    'RFC 9449 §4.3 check 8: htm',
    ['', 'get', 'post', 'PUT', 'HEAD', ' GET', '*', null, ['GET', 'POST']],
    withClaim('htm'),
  ),
  'RFC 9449 §4.3 check 8: htm in lower case': (target) => proofFor(target, { htm: target.htm.toLowerCase() }),
};

const addresses: Forgeries = {
  ...each('RFC 9449 §4.3 check 9: htu', [null, 1, '', '*', 'text', 'http://', ORIGIN], withClaim('htu')),
  ...each(
    'RFC 9449 §4.3 check 9: the right path behind',
    [
      ...['', '//localhost:3000', 'localhost:3000', 'https://localhost:3000', 'foo://localhost:3000'],
      ...['http://localhost', 'http://localhost:3001', 'http://127.0.0.1:3000', 'http://evil.example:3000'],
      ...['http://localhost:3000.evil.example', 'http://localhost:3000@evil.example', `blob:${ORIGIN}`],
      ...['http://user@localhost:3000', 'http://user:pw@localhost:3000', 'http://:pw@localhost:3000'],
      ...[`${ORIGIN}/api`, `${ORIGIN}/`, `${ORIGIN}/?`, `${ORIGIN}/#`],
    ],
    (before) => withHtu(({ path }) => before + path),
  ),
  ...each(
    'RFC 9449 §4.3 check 9: behind the right path',
    ['/', '//', '/..', '/.', 'x', '%20', ';a', '%2F', '%00'],
    (behind) => withHtu(({ path }) => ORIGIN + path + behind),
  ),
  'RFC 9449 §4.3 check 9: the path in capitals': withHtu(({ path }) => ORIGIN + path.toUpperCase()),
  'RFC 9449 §4.3 check 9: another path': withHtu(() => `${ORIGIN}/v1/verify`),
};

const edKey = createProofKey('Ed25519');
const withEdHeader =
  (header: object): Forgery =>
  (target) =>
    proofFor({ ...target, key: edKey }, {}, header);
const withEdJwk = (members: object) => withEdHeader({ jwk: { ...edKey.jwk, ...members } });

const ed25519: Forgeries = {
  ...each('RFC 7515 §4.1.11: crit', [[], ['exp'], null], (crit) => withEdHeader({ crit })),
  ...each('RFC 9449 §4.3 check 4: typ', [undefined, 'JWT'], (typ) => withEdHeader({ typ })),
  ...each('RFC 8037 §3.1: alg', ['ES256', 'ed25519', 'Ed448', 'none'], (alg) => withEdHeader({ alg })),
  ...each('RFC 8037 §2: crv', [undefined, 'X25519', 'Ed448', 'P-256'], (crv) => withEdJwk({ crv })),
  ...each('RFC 8037 §2: x', [undefined, 1, '', 'AA', 'A'.repeat(44)], (x) => withEdJwk({ x })),
  'RFC 9449 §4.3 check 7: the private key in jwk': withEdJwk(edKey.privateKey.export({ format: 'jwk' })),
  'RFC 9449 §4.3 check 6: by another key': withEdJwk(createProofKey('Ed25519').jwk),
  'RFC 9449 §4.3 check 6: by the P-256 key': (target) =>
    proofFor(target, {}, { alg: 'Ed25519', jwk: edKey.jwk }),
};

/** Proofs that are wrong wherever they are shown. */
export const FORGERIES = { headers, keys, signatures, shapes, claims, addresses, ed25519 };
