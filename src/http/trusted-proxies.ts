import ipaddr from 'ipaddr.js';
import { normalizeAddress } from './client-address.ts';

/**
 * Tells the addresses of configured proxies from all others, in any spelling, IPv4-mapped too.
 * @param trustedProxies addresses and CIDR ranges
 */
export function createProxyMatcher(trustedProxies: readonly string[]): (address: string) => boolean {
  const ranges = trustedProxies.map(toRange);
  return (text) => {
    const address = normalizeAddress(text);
    return address !== undefined && ranges.some(([network, bits]) => toIpv6(address).match(network, bits));
  };
}

function toRange(text: string): [ipaddr.IPv6, number] {
  const [address = '', prefix] = text.split('/');
  const bits = prefix === undefined ? undefined : Number(prefix);
  return [toIpv6(address), ipaddr.IPv4.isValid(address) ? 96 + (bits ?? 32) : (bits ?? 128)];
}

function toIpv6(address: string): ipaddr.IPv6 {
  const parsed = ipaddr.parse(address);
  return parsed instanceof ipaddr.IPv4 ? parsed.toIPv4MappedAddress() : parsed;
}
