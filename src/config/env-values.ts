import { isIP } from 'node:net';
import { z } from 'zod';
import { baseUrl, type Check, pageOrigin } from '../base/addresses.ts';
import { basePathOf } from '../base/issuer.ts';

/* Rules for the values of environment variables. Each message completes "NAME must be …". */

/** Any text: other code checks it. */
export function unchecked(what: string) {
  return z.string().describe(what);
}

/** A text without control characters, so that it can stand in a header, a log line or a token. */
export function text(maxLength: number) {
  const what = `a text of 1 to ${maxLength} characters without line breaks`;
  return z
    .string()
    .max(maxLength, what)
    .regex(/^\P{Cc}+$/u, what)
    .describe(what);
}

export function wholeNumber(min: number, max: number) {
  const what = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, what)
    .transform(Number)
    .refine((number) => number >= min && number <= max, what)
    .describe(what);
}

/** @param auto gives the number that `auto` stands for */
export function numberOrAuto(min: number, max: number, auto: () => number) {
  const what = `auto, or a whole number from ${min} to ${max}`;
  return z.union([z.literal('auto').transform(auto), wholeNumber(min, max)], what).describe(what);
}

export function oneOf<const T extends readonly string[]>(values: T) {
  const what = `one of ${values.join(', ')}`;
  return z.enum(values, what).describe(what);
}

/** One of two words: true when it is `word`. */
export function whether<const T extends readonly [string, string]>(word: T[number], values: T) {
  const rule = oneOf(values);
  return rule.transform((value) => value === word).describe(rule.description ?? '');
}

/** Any text: true when it is `word`. */
export function wordOrNot(word: string) {
  return z
    .string()
    .transform((value) => value === word)
    .describe('any text');
}

function list(what: string, check: (what: string) => Check) {
  const checkItem = check(what);
  return z
    .string()
    .transform((value, context) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .map((item) => checkItem(item, context)),
    )
    .describe(what);
}

const ADDRESS = 'an address like https://login.example.com or https://example.com/auth';
/** The first segments of the paths of the routes. */
const OWN_PATHS = ['v1', 'docs', 'openapi.json', 'openapi.yaml', 'livez', 'readyz', '.well-known'];

/** Refuses an issuer with a path such as `/v1`: at `/v1/…`, nobody could tell whether a proxy has taken that path off. */
export const issuer = z
  .string()
  .transform(baseUrl(ADDRESS))
  .refine(
    (address) => !OWN_PATHS.includes(basePathOf(address).split('/')[1] ?? ''),
    `${ADDRESS}; its path must not begin like one of idcard’s own, such as /v1 or /docs`,
  )
  .describe(ADDRESS);

export const pageOrigins = list(
  'a list of addresses like https://app.example.com or capacitor://localhost',
  pageOrigin,
);

/**
 * Request headers that no page may be allowed to send. Browsers let no page set some of them (Fetch §2.2.2). By the
 * others a proxy says who a client is, where it is, or what it wants.
 */
const RESERVED_HEADERS = new RegExp(
  `^(?:${[
    'accept-(?:charset|encoding)|access-control-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive',
    'origin|referer|set-cookie2?|te|trailer|transfer-encoding|upgrade|via|(?:proxy|sec)-.*',
    'forwarded|x-(?:forwarded|original|auth|envoy)(?:-.*)?|x-(?:http-)?method(?:-.*)?|x-rewrite-url',
    '(?:x-real|x-client|true-client|cf-connecting)-ip',
  ].join('|')})$`,
);

const HEADERS =
  'a list of header names like traceparent, without * and without those of browsers and proxies (Cookie, Sec-…, ' +
  'X-Forwarded-…, X-Original-…, X-Auth-… and the like)';

/** Some applications read another sign, such as "_", as "-". So any sign counts as "-" in the check. */
export const headerNames = list(HEADERS, (what) => (value, context) => {
  const name = value.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
  if (!/^[\w!#$%&'+.^`|~-]{1,100}$/.test(value) || RESERVED_HEADERS.test(name)) {
    context.addIssue(what);
    return z.NEVER;
  }
  return value;
});

const RANGES = 'a list of addresses or ranges like 10.0.0.0/8, none of them /0';

export const proxyRanges = list(RANGES, (what) => (value, context) => {
  const [address = '', prefix, ...rest] = value.split('/');
  const family = isIP(address);
  const bits = prefix === undefined ? 128 : Number(prefix);
  const isRange = family !== 0 && rest.length === 0 && /^(?:[1-9]\d{0,2})?$/.test(prefix ?? '');
  if (!isRange || prefix === '' || (prefix !== undefined && bits > (family === 4 ? 32 : 128))) {
    // A range of /0 would let every client choose the address it is known by.
    context.addIssue(what);
    return z.NEVER;
  }
  return value;
});
