import ipaddr from 'ipaddr.js';
import type { Count } from './count-store.ts';

/** The networks that an attempt comes from: an IPv4 address, or the networks of an IPv6 address, the smallest first. */
export function networksOf(address: string): Count[] {
  const parsed = ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
  if (!(parsed instanceof ipaddr.IPv6)) return [{ kind: 'address', name: parsed?.toString() ?? address }];
  // RFC 6052: in front of an IPv6-only server, a translator gives every IPv4 client an address in this prefix. All of
  // them are in one /64.
  if (parsed.match(WELL_KNOWN_PREFIX, 96)) {
    return [{ kind: 'address', name: new ipaddr.IPv4(parsed.toByteArray().slice(12)).toString() }];
  }
  return [
    { kind: 'address', name: prefixOf(parsed, 64) },
    { kind: 'home', name: prefixOf(parsed, 56) },
    { kind: 'site', name: prefixOf(parsed, 48) },
  ];
}

const WELL_KNOWN_PREFIX = ipaddr.IPv6.parse('64:ff9b::');

/** @param bits a multiple of 8, and 64 at most */
function prefixOf({ parts }: ipaddr.IPv6, bits: number): string {
  return parts
    .slice(0, 4)
    .map((group, index) => (group & (0xffff << Math.max(0, 16 * (index + 1) - bits))).toString(16))
    .join(':');
}
