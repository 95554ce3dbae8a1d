import { z } from 'zod';
import { baseUrl, pageOrigin } from '../base/addresses.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { parseUrl } from '../base/parse-url.ts';
import { StartupError } from '../base/startup-error.ts';
import { isUnprotected } from '../base/this-machine.ts';
import { isInside } from './inside.ts';

const seconds = (min: number, max: number) => {
  const message = `a whole number of seconds from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
};

const ORIGINS = 'a list of addresses like https://app.example.com';
const ISSUER = 'an address like https://login.example.com or https://example.com/auth';
const INTERNAL = 'an address like http://idcard:3000';

const Options = z.strictObject({
  /** The `PUBLIC_URL` of idcard: https, except on this machine. */
  issuer: z
    .string(ISSUER)
    .transform(baseUrl(ISSUER))
    .refine(
      (issuer) => !isUnprotected(issuer),
      'an https address: keys that come without TLS may be anybody’s',
    ),
  /**
   * The address at which this service reaches the issuer, if not `issuer`: inside a cluster. Whoever answers there decides whose
   * tokens are good, so plain http is allowed only for names and addresses that nobody outside can have.
   */
  internalUrl: z
    .string(INTERNAL)
    .transform(baseUrl(INTERNAL))
    .refine(
      (url) => url.startsWith('https:') || isInside(new URL(url).hostname),
      'an https address, or one that is private: keys that come without TLS may be anybody’s',
    )
    .optional(),
  /** The `AUDIENCE` of idcard. */
  audience: z.string('a text').min(1, 'a text'),
  /**
   * The address at which clients reach this service, as far as its routes see the path. A proof is made for an address, and the
   * client chooses the Host header: so without this option tokens that are bound to a key are refused.
   */
  publicUrl: z
    .string('a text')
    .refine(isBaseAddress, 'an address like https://api.example.com, without a slash at its end')
    .optional(),
  /** Other origins whose pages may call with cookies; those of apps, such as capacitor://localhost, have none. */
  allowedOrigins: z.array(z.string(ORIGINS).transform(pageOrigin(ORIGINS)), ORIGINS).default([]),
  /** Refuses tokens that are not bound to a key. */
  requireDpop: z.boolean('true or false').default(false),
  /** 32 random bytes in base64url that the replicas of this service share, so that each takes the others' nonces. */
  dpopNonceSecret: z
    .string('a text')
    .regex(/^[\w-]{43,}$/, 'at least 32 random bytes in base64url')
    .optional(),
  /** How often the issuer is asked which tokens were revoked. */
  revocationPollSeconds: seconds(1, 60).default(2),
  /** How long keys are used while the issuer does not confirm them. */
  staleKeysSeconds: seconds(60, 604_800).default(3600),
  /** For `iat` and `nbf`; `exp` has none. */
  clockToleranceSeconds: seconds(0, 60).default(5),
  /** The time in seconds since 1970. */
  clock: z.custom<Clock>(isFunction, 'a function').default(() => systemClock),
  /** A `fetch` instead of the global one, for a proxy or a private certificate authority. */
  fetch: z.custom<typeof fetch>(isFunction, 'a function').default(() => globalThis.fetch),
});

/** What `app.register(idcard, …)` takes. */
export type IdcardOptions = z.input<typeof Options>;
export type ReadOptions = z.output<typeof Options>;

/** @throws StartupError with a sentence that names the option */
export function readOptions(given: unknown): ReadOptions {
  const { data, error } = Options.safeParse(given);
  if (data?.requireDpop && data.publicUrl === undefined)
    throw new StartupError('The idcard option publicUrl must be set where requireDpop is.');
  if (data) return data;
  throw new StartupError(describe('idcard', error.issues[0]));
}

/** A sentence about what is wrong with an object of options. */
export function describe(owner: string, issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys') return `There is no ${owner} option ${issue.keys[0]}.`;
  return `The ${owner} option ${String(issue?.path[0])} must be ${issue?.message}.`;
}

function isBaseAddress(value: string): boolean {
  const url = parseUrl(value);
  if (!url || !['http:', 'https:'].includes(url.protocol)) return false;
  return value === url.origin || (value === url.origin + url.pathname && !value.endsWith('/'));
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
