import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isThisMachine } from '../base/this-machine.ts';
import { invalidToken } from '../problems/general.ts';
import { findHeader } from './raw-headers.ts';
import type { OutgoingTokens } from './transport.ts';

export interface Cookies {
  /** @throws invalidToken when it was sent twice */
  readAccess(request: FastifyRequest): string | undefined;
  /** @throws invalidToken when it was sent twice */
  readRefresh(request: FastifyRequest): string | undefined;
  /** Undefined for an ambiguous cookie: a device token is no credential, so nobody is refused for it. */
  readDevice(request: FastifyRequest): string | undefined;
  /** Sends no token in the body, where a script could read it. */
  send(reply: FastifyReply, tokens: OutgoingTokens): FastifyReply;
  /** Clears all cookies but that of the device, which is no login. */
  clear(reply: FastifyReply): FastifyReply;
}

/** The size of the largest cookie that a browser stores (RFC 6265bis §5.6). It silently drops larger ones. */
const MAX_COOKIE_BYTES = 4096;

/**
 * The cookies of an issuer. The prefix of their names makes a browser refuse them from a sibling subdomain, without TLS, or for
 * a narrower path (RFC 6265bis §4.1.3.2). The names are plain on this machine without TLS: the prefix demands `Secure`, and
 * Safari keeps no `Secure` cookie there.
 */
export function createCookies(issuer: string): Cookies {
  const secure = !hasPlainCookies(issuer);
  const [access, refresh, device] = ['access', 'refresh', 'device'].map((name) =>
    secure ? `__Host-${name}` : name,
  ) as [string, string, string];
  const attributes: CookieSerializeOptions = { path: '/', httpOnly: true, secure, sameSite: 'lax' };

  function set(reply: FastifyReply, name: string, token: string, maxAge: number): void {
    if (name.length + 1 + token.length > MAX_COOKIE_BYTES) {
      throw new Error(
        `The cookie ${name} would exceed ${MAX_COOKIE_BYTES} bytes: give the user fewer or shorter roles.`,
      );
    }
    reply.setCookie(name, token, { ...attributes, maxAge });
  }

  return {
    readAccess: (request) => readCookie(request, access),
    readRefresh: (request) => readCookie(request, refresh),
    readDevice: (request) => readCookie(request, device, () => undefined),
    send(reply, tokens) {
      set(reply, access, tokens.accessToken, tokens.accessExpiresInSeconds);
      set(reply, refresh, tokens.refreshToken, tokens.refreshExpiresInSeconds);
      if (tokens.device) set(reply, device, tokens.device.token, tokens.device.expiresInSeconds);
      return reply.code(204).send();
    },
    clear: (reply) => reply.clearCookie(access, attributes).clearCookie(refresh, attributes),
  };
}

/** Whether the cookies of an issuer have neither prefix nor `Secure`: without TLS, on a machine where nobody else listens. */
export function hasPlainCookies(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer);
  return protocol === 'http:' && isThisMachine(hostname);
}

/**
 * The value of one of our cookies, or undefined when it was not sent. It is not read by a parser, which would silently keep one of
 * two cookies, and an attacker may have planted one.
 * @throws invalidToken when the name occurs twice, or in another letter case
 */
function readCookie(
  request: FastifyRequest,
  name: string,
  whenAmbiguous: () => undefined = refuseAmbiguous,
): string | undefined {
  const isSent = findHeader(request.raw.rawHeaders, 'cookie') !== -1;
  const header = isSent ? request.headers.cookie : undefined;
  if (header === undefined) return undefined;
  let value: string | undefined;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    const sentName = withoutBlanks(pair.slice(0, Math.max(equals, 0)));
    if (sentName.toLowerCase() !== name.toLowerCase()) continue;
    if (sentName !== name || value !== undefined) return whenAmbiguous();
    value = withoutBlanks(pair.slice(equals + 1));
  }
  return value;
}

function refuseAmbiguous(): never {
  throw invalidToken({
    detail:
      'The cookie with the token was sent twice, or in another spelling: clear the cookies of this site.',
  });
}

/**
 * Removes blanks and tabs, and nothing else (RFC 6265 §5.2). `trim()` would remove the byte A0 too: a sibling subdomain could
 * plant a cookie whose name has that byte before `__Host-`, since a browser sees no prefix there.
 */
function withoutBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
