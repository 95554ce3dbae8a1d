import { z } from 'zod';

/** OAuth clients are not registered here: every login comes through the product's own API. */
export const CLIENT_ID = 'idcard';
/** What a token permits without any role: to act for one's own account. */
export const SCOPE = 'account';

/** A NumericDate (RFC 7519 §2): whole seconds since 1970. */
const seconds = z.int().nonnegative();

/** The claims that access and refresh tokens carry (RFC 7519 §4.1, RFC 9068 §2.2). */
const registered = {
  iss: z.string(),
  sub: z.string().min(1),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: seconds,
  iat: seconds,
  nbf: seconds.optional(),
  jti: z.string().min(1),
  /** When the user last proved who they are. A refresh does not change it. */
  auth_time: seconds,
  /** How the user was authenticated (RFC 8176). */
  amr: z.array(z.string()),
  /** The user's token version at the time of issue. */
  ver: z.int().nonnegative(),
  /** The key whose possession must be proven with every use (RFC 9449 §6.1); absent from bearer tokens. */
  cnf: z.object({ jkt: z.string() }).meta({ id: 'Confirmation' }).optional(),
};

/** The claims of an access token: those of RFC 9068 §2.2, and those that an embedding program adds. */
export const AccessClaims = z.looseObject({
  ...registered,
  client_id: z.string(),
  scope: z.string(),
  roles: z.array(z.string()),
  /** A verified address, where `EMAIL_CLAIM` is on. The address may change hands: `sub` is who the user is. */
  email: z.string().optional(),
});

/** Claims beside the standard ones, with values that JSON can hold. */
export type CustomClaims = Readonly<Record<string, unknown>>;

/** Names that later versions will use: an embedding program that used one today would have to give it up. */
const RESERVED = ['sid', 'acr', 'login_at'];
/** Names that would replace the object of claims instead of adding to it. */
const NO_NAMES = ['__proto__', 'toJSON'];
const OWN = new Set([...Object.keys(AccessClaims.shape), ...RESERVED, ...NO_NAMES]);

/** The first custom claim whose name belongs to idcard. */
export function ownNameAmong(customClaims: CustomClaims): string | undefined {
  return Object.keys(customClaims).find((name) => OWN.has(name));
}

/** The claims of a refresh token. `sid` names one login, through every refresh. */
export const RefreshClaims = z.object({ ...registered, sid: z.string().min(1) });

/** The claims of the list of revocations, which has token versions by the SHA-256 of their subject in base64url. */
export const RevocationClaims = z.object({
  iss: registered.iss,
  aud: registered.aud,
  exp: seconds,
  iat: seconds,
  /** How long access tokens live at most; absent from the lists of older servers. */
  access_token_ttl: seconds.optional(),
  /** Every access token with an `iat` up to this second is void. It is there where the list has no room for all revocations. */
  not_before: seconds.optional(),
  revocations: z.custom<Readonly<Record<string, number>>>(isVersions),
});

/** A check by hand: zod's own record takes 50 ms for 50,000 entries. */
function isVersions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((ver) => Number.isSafeInteger(ver) && ver >= 0);
}

export type RevocationClaims = Readonly<z.infer<typeof RevocationClaims>>;
export type AccessClaims = Readonly<z.infer<typeof AccessClaims>>;
export type RefreshClaims = Readonly<z.infer<typeof RefreshClaims>>;
