import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';

/** More than any address with its zone, its port, brackets and quotes. */
const LONGEST = 128;

/**
 * The address of whoever sent a request, in one spelling: the first that is no trusted proxy's, from here on backwards. Where
 * a proxy handed on what is no address, it is the proxy's own. Never what a client wrote as it wrote it: this is counted and
 * logged. (A socket without an address, such as a Unix one, is "unknown".)
 */
export function clientAddress(request: FastifyRequest): string {
  const hops: (string | undefined)[] = request.ips ?? [request.ip];
  return hops.map(normalizeAddress).findLast((address) => address !== undefined) ?? 'unknown';
}

/**
 * An address in its one spelling (RFC 5952; an IPv4-mapped one as IPv4), undefined when the text is none. With a port, in
 * brackets or in quotes, as cloud balancers and RFC 7239 write it, it is the same address; so it is in another zone, which is
 * an interface of the proxy.
 */
export function normalizeAddress(text: string | undefined): string | undefined {
  if (text === undefined || text.length > LONGEST) return undefined;
  const [, bracketed, bare] = /^"?(?:\[([^\]]*)\](?::\d*)?|([^"[\]]*))"?$/.exec(text.trim()) ?? [];
  const written = bracketed ?? bare?.replace(/(\.\d+):\d*$/, '$1') ?? '';
  const address = written.replace(/%.*$/, '');
  return isIP(address) === 0 ? undefined : ipaddr.process(address).toString();
}
