import { z } from 'zod';

/** OAuth clients are not registered here: every login comes through the product's own API. */
export const CLIENT_ID = 'idcard';
/** What a token permits without any role: to act for one's own account. */
export const SCOPE = 'account';

/** A NumericDate (RFC 7519 §2): whole seconds since 1970. */
const seconds = z.int().nonnegative();

/** The claims that both kinds carry (RFC 7519 §4.1, RFC 9068 §2.2). */
const registered = {
  iss: z.string(),
  sub: z.string().min(1),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: seconds,
  iat: seconds,
  nbf: seconds.optional(),
  jti: z.string().min(1),
  /** When the password was last proven; no refresh changes it. */
  auth_time: seconds,
  /** How it was proven (RFC 8176). */
  amr: z.array(z.string()),
  /** The user's token version at the time of issue. */
  ver: z.int().nonnegative(),
  /** The key whose possession must be proven with every use (RFC 9449 §6.1); absent from bearer tokens. */
  cnf: z.object({ jkt: z.string() }).meta({ id: 'Confirmation' }).optional(),
};

/** The claims of an access token: RFC 9068 §2.2, and those that a program which embeds idcard adds. */
export const AccessClaims = z.looseObject({
  ...registered,
  client_id: z.string(),
  scope: z.string(),
  roles: z.array(z.string()),
  /** A verified address, where `EMAIL_CLAIM` is on. It may become another's: `sub` is who the user is. */
  email: z.string().optional(),
});

/** Claims beside the standard ones, with values that JSON can hold. */
export type CustomClaims = Readonly<Record<string, unknown>>;

/** Names that later versions will use; who used one today would have to give it up then. */
const RESERVED = ['sid', 'acr', 'login_at'];
/** What would stand in place of the claims, and not among them. */
const NO_NAMES = ['__proto__', 'toJSON'];
const OWN = new Set([...Object.keys(AccessClaims.shape), ...RESERVED, ...NO_NAMES]);

/** The first name among custom claims that is idcard's own to use. */
export function ownNameAmong(customClaims: CustomClaims): string | undefined {
  return Object.keys(customClaims).find((name) => OWN.has(name));
}

/** The claims of a refresh token. `sid` names one login, through every refresh. */
export const RefreshClaims = z.object({ ...registered, sid: z.string().min(1) });

/** The claims of the list of revocations: token versions, by the SHA-256 of their subject in base64url. */
export const RevocationClaims = z.object({
  iss: registered.iss,
  aud: registered.aud,
  exp: seconds,
  iat: seconds,
  /** For how long access tokens are good at most; older servers do not say. */
  access_token_ttl: seconds.optional(),
  /** Access tokens with an `iat` up to here are void, whoever's they are: where more were revoked than are listed. */
  not_before: seconds.optional(),
  revocations: z.custom<Readonly<Record<string, number>>>(isVersions),
});

/** Of zod's own records, 50,000 entries take 50 ms. */
function isVersions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((ver) => Number.isSafeInteger(ver) && ver >= 0);
}

export type RevocationClaims = Readonly<z.infer<typeof RevocationClaims>>;
export type AccessClaims = Readonly<z.infer<typeof AccessClaims>>;
export type RefreshClaims = Readonly<z.infer<typeof RefreshClaims>>;
