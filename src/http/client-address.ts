import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';

/** Longer than any address with its zone, its port, brackets and quotes. */
const LONGEST = 128;

/**
 * The address of the client that sent a request, in one spelling. It is the first address, going back from here, that
 * belongs to no trusted proxy. Where a proxy handed on a text that is no address, it is the address of that proxy. The
 * text of a client is never passed on as it is, since the address is counted and logged. (A socket without an address,
 * such as a Unix one, is "unknown".)
 */
export function clientAddress(request: FastifyRequest): string {
  const hops: (string | undefined)[] = request.ips ?? [request.ip];
  return hops.map(normalizeAddress).findLast((address) => address !== undefined) ?? 'unknown';
}

/**
 * An address in one spelling (RFC 5952; an IPv4-mapped one as IPv4); undefined when the text is no address. A port,
 * brackets and quotes, as cloud balancers and RFC 7239 write them, are taken off. So is a zone, which names an interface
 * of the proxy.
 */
export function normalizeAddress(text: string | undefined): string | undefined {
  if (text === undefined || text.length > LONGEST) return undefined;
  const [, bracketed, bare] = /^"?(?:\[([^\]]*)\](?::\d*)?|([^"[\]]*))"?$/.exec(text.trim()) ?? [];
  const written = bracketed ?? bare?.replace(/(\.\d+):\d*$/, '$1') ?? '';
  const address = written.replace(/%.*$/, '');
  return isIP(address) === 0 ? undefined : ipaddr.process(address).toString();
}
