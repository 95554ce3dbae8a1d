import { isIP } from 'node:net';
import { z } from 'zod';

/* What the value of an environment variable can be; each message completes "NAME must be …". */

/** A text without control characters, so that it can stand in a header, a log line or a token. */
export function text(maxLength: number) {
  const message = `a text of 1 to ${maxLength} characters without line breaks`;
  return z
    .string()
    .max(maxLength, message)
    .regex(/^\P{Cc}+$/u, message);
}

export function wholeNumber(min: number, max: number) {
  const message = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((number) => number >= min && number <= max, message);
}

export function numberOrAuto(min: number, max: number) {
  return z.union([z.literal('auto'), wholeNumber(min, max)], `auto, or a whole number from ${min} to ${max}`);
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, `one of ${values.join(', ')}`);
}

type Check = (value: string, context: z.RefinementCtx) => string;

export function list(check: Check) {
  return z.string().transform((value, context) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => check(item, context)),
  );
}

/** An origin (RFC 6454), returned as a browser sends it: no path, no wildcard, no trailing slash. */
export function origin(what: string): Check {
  return (value, context) => {
    const url = URL.parse(value);
    const isOrigin =
      url !== null &&
      (url.protocol === 'https:' || url.protocol === 'http:') &&
      url.href === `${url.origin}/` &&
      !url.hostname.includes('*') && // no browser sends one, so it would match nothing without a word
      value.length <= 256;
    if (!isOrigin) {
      context.addIssue(`${what}, without a path`);
      return z.NEVER;
    }
    return url.origin;
  };
}

/**
 * What addresses are made of by putting a route behind it: an origin, with a path or without. It has one spelling, since
 * issuers and the addresses in proofs are compared as texts; a slash at the end is taken off.
 */
export function baseUrl(what: string): Check {
  return (value, context) => {
    const refuse = (reason: string) => {
      context.addIssue(what + reason);
      return z.NEVER;
    };
    const url = URL.parse(value);
    const [, authority = '', path = ''] = /^https?:\/\/([^/?#]+)([^?#]*)/i.exec(value.trim()) ?? [];
    if (url === null || authority === '' || url.hostname.includes('*') || value.length > 256)
      return refuse('');
    if (authority.includes('@')) return refuse(', without a user or a password');
    if (/[?#]/.test(value)) return refuse(', without a query or a fragment');
    // What the URL parser made of it is another path where there are dots, backslashes or line breaks.
    if (url.pathname !== (path || '/') || !/^(?:\/[\w.~-]+)*\/?$/.test(path))
      return refuse('; its path is made of letters, digits, "-", ".", "_", "~" and single slashes');
    return url.origin + path.replace(/\/$/, '');
  };
}

export function proxyRange(value: string, context: z.RefinementCtx): string {
  const [address = '', prefix, ...rest] = value.split('/');
  const family = isIP(address);
  const bits = prefix === undefined ? 128 : Number(prefix);
  const isRange = family !== 0 && rest.length === 0 && /^(?:[1-9]\d{0,2})?$/.test(prefix ?? '');
  if (!isRange || prefix === '' || (prefix !== undefined && bits > (family === 4 ? 32 : 128))) {
    // A range of /0 would let every client choose the address it is known by.
    context.addIssue('a list of addresses or ranges like 10.0.0.0/8, none of them /0');
    return z.NEVER;
  }
  return value;
}
