import { isIP } from 'node:net';
import { z } from 'zod';
import { parseUrl } from '../base/parse-url.ts';

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
function origin(what: string): Check {
  return (value, context) => {
    const url = parseUrl(value);
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
    const url = parseUrl(value);
    const [, authority = '', path = ''] = /^https?:\/\/([^/?#]+)([^?#]*)/i.exec(value.trim()) ?? [];
    if (url === null || authority === '' || url.hostname.includes('*') || value.length > 256)
      return refuse('');
    if (authority.includes('@')) return refuse(', without a user or a password');
    if (/[?#]/.test(value)) return refuse(', without a query or a fragment');
    // What the URL parser made of it is another path where there are dots, backslashes or line breaks.
    if (url.pathname !== (path || '/') || !/^(?:\/(?:[\w~-]|\.(?!\.))+)*\/?$/.test(path))
      return refuse('; its path is made of letters, digits, "-", "_", "~", single dots and single slashes');
    return url.origin + path.replace(/\/$/, '');
  };
}

/** `scheme://host[:port]` of an app or an extension, as its browser sends it. */
const APP_ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/[\w.~-]+(?::\d+)?$/;

/** Schemes of which no page has an origin of its own: a browser calls theirs "null", like that of any sandboxed frame. */
const WITHOUT_ORIGIN: readonly (string | undefined)[] = [
  ...['about', 'blob', 'content', 'data', 'file', 'filesystem', 'ftp', 'javascript', 'mailto'],
  ...['vbscript', 'view-source', 'ws', 'wss'],
];

/**
 * The origin of a page that may call: of the web, or of an app such as `capacitor://localhost`. The latter is kept and
 * compared as text, since the URL standard knows no origin of such an address: `new URL(…).origin` is "null".
 */
export function pageOrigin(what: string): Check {
  const webOrigin = origin(what);
  return (value, context) => {
    const [, scheme] = APP_ORIGIN.exec(value) ?? [];
    const isWeb = scheme === undefined || scheme === 'http' || scheme === 'https';
    const isSent = !WITHOUT_ORIGIN.includes(scheme) && parseUrl(value)?.href === value && value.length <= 256;
    return !isWeb && isSent ? value : webOrigin(value, context);
  };
}

/**
 * Request headers that no page is to be allowed: those that a browser lets no page set (Fetch §2.2.2), and those by which a
 * proxy says who and where a client is, or what it wants.
 */
const RESERVED_HEADERS = new RegExp(
  `^(?:${[
    'accept-(?:charset|encoding)|access-control-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive',
    'origin|referer|set-cookie2?|te|trailer|transfer-encoding|upgrade|via|(?:proxy|sec)-.*',
    'forwarded|x-(?:forwarded|original|auth|envoy)(?:-.*)?|x-(?:http-)?method(?:-.*)?|x-rewrite-url',
    '(?:x-real|x-client|true-client|cf-connecting)-ip',
  ].join('|')})$`,
);

/** Applications that take another sign for "-" are thought of. */
export function headerName(value: string, context: z.RefinementCtx): string {
  const name = value.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
  if (!/^[\w!#$%&'+.^`|~-]{1,100}$/.test(value) || RESERVED_HEADERS.test(name)) {
    context.addIssue(
      'a list of header names like traceparent, without * and without those of browsers and proxies (Cookie, Sec-…, ' +
        'X-Forwarded-…, X-Original-…, X-Auth-… and the like)',
    );
    return z.NEVER;
  }
  return value;
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
