import { createPrivateKey, randomUUID } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { type Clock, systemClock } from '../base/clock.ts';
import { revocationsAudience } from '../base/issuer.ts';
import { StartupError } from '../base/startup-error.ts';
import { type AccessClaims, CLIENT_ID, SCOPE } from '../proofs/tokens/claims.ts';
import { SIGNED_KINDS, type SignedKind } from '../proofs/tokens/profiles.ts';
import type { IdcardOptions } from './options.ts';

export interface TestIssuer {
  /** For `app.register(idcard, options)`: real options, with a `fetch` that uses no network. */
  options: IdcardOptions & { clock: Clock };
  /** An access token as idcard signs it, valid for 300 s. The given claims replace its own. */
  mintToken(claims?: Partial<AccessClaims>): string;
}

/** The key of RFC 7517 A.2, which is public: no idcard starts with it. */
const PUBLIC_JWK = {
  kty: 'EC',
  kid: 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
  alg: 'ES256',
  use: 'sig',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
};
const PRIVATE_JWK = { ...PUBLIC_JWK, d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE' };

const LIFETIME_SECONDS = 300;

/**
 * An issuer inside a test, with a fixed key and the clock of the test.
 * @param clock the time in seconds since 1970
 * @throws StartupError in production, where anybody could make its tokens
 */
export function createTestIssuer({
  clock = systemClock,
  issuer = 'https://idcard.test',
}: {
  clock?: Clock;
  issuer?: string;
} = {}): TestIssuer {
  if (process.env.NODE_ENV === 'production')
    throw new StartupError('The test issuer of idcard signs with a public key pair: not in production.');
  const audience = 'test';
  const signers = { access: signerOf('access'), revocations: signerOf('revocations') };
  const common = () => ({ iss: issuer, aud: audience, iat: clock(), exp: clock() + LIFETIME_SECONDS });

  const documents: Record<string, () => [mediaType: string, text: string]> = {
    '/.well-known/jwks.json': () => ['application/json', JSON.stringify({ keys: [PUBLIC_JWK] })],
    '/.well-known/revocations': () => [
      'application/jwt',
      signers.revocations({ ...common(), aud: revocationsAudience(issuer), revocations: {} }),
    ],
  };
  const answer: typeof fetch = async (address) => {
    const document = documents[new URL(String(address)).pathname];
    if (!document) return new Response(null, { status: 404 });
    const [mediaType, text] = document();
    return new Response(text, { headers: { 'content-type': mediaType } });
  };

  return {
    options: { issuer, audience, clock, fetch: answer },
    mintToken(claims = {}) {
      const { iss, aud, iat, exp } = common();
      const subject = {
        sub: randomUUID(),
        aud,
        exp,
        iat,
        jti: randomUUID(),
        auth_time: iat,
        amr: ['pwd'],
        ver: 1,
      };
      return signers.access({ iss, ...subject, client_id: CLIENT_ID, scope: SCOPE, roles: [], ...claims });
    },
  };
}

function signerOf(kind: SignedKind): (claims: object) => string {
  const key = createPrivateKey({ key: PRIVATE_JWK, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' });
  const { kid } = PRIVATE_JWK;
  const header = { alg: 'ES256', typ: SIGNED_KINDS[kind].typ };
  return createSigner({ key: key.toString(), algorithm: 'ES256', kid, header });
}
