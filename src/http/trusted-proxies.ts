import { BlockList, isIP } from 'node:net';

/**
 * Whether a peer is one of the proxies that are trusted.
 * @param trustedProxies addresses and CIDR ranges; an IPv4 address and its IPv4-mapped form (RFC 4291 §2.5.5.2) are one
 * @returns a check of a socket's `remoteAddress`
 */
export function createProxyMatcher(
  trustedProxies: readonly string[],
): (address: string | undefined) => boolean {
  const proxies = new BlockList();
  for (const range of trustedProxies) {
    const [address = '', prefix] = range.split('/');
    const family = familyOf(address);
    if (prefix === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(prefix), family);
  }
  return (address = '') => {
    const [withoutZone = ''] = address.split('%'); // fe80::1%eth0
    return isIP(withoutZone) !== 0 && proxies.check(withoutZone, familyOf(withoutZone));
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
