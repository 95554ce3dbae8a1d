import { z } from 'zod';
import { parseUrl } from './parse-url.ts';

/* Addresses as an operator writes them; each message completes "NAME must be …". */

/** For a `transform`: the one spelling of a text, or an issue. */
export type Check = (value: string, context: z.RefinementCtx) => string;

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
