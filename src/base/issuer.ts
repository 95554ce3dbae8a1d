/* What is made of the issuer: an address in the form of `baseUrl()`, which has no slash at its end. */

/** Its path, such as `/auth`; empty at the root of a host. */
export function basePathOf(issuer: string): string {
  return issuer.slice(new URL(issuer).origin.length);
}

/**
 * The `aud` of the list of revocations: where it stands. It has the issuer and the key of access tokens, so a service that
 * does not look at `typ` tells the two apart by this alone.
 */
export function revocationsAudience(issuer: string): string {
  return `${issuer}/.well-known/revocations`;
}
