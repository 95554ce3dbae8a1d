import { BlockList, isIP } from 'node:net';

/**
 * Names for which no name server of the internet answers (RFC 6761, RFC 6762, RFC 8375; `.svc` is of Kubernetes). A dot at the
 * end makes a name complete, so that Kubernetes looks it up once instead of five times.
 */
const INSIDE_NAMES = /(?:^|\.)(?:localhost|local|internal|home\.arpa|svc)\.?$/;

const INSIDE_ADDRESSES = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10], // RFC 6598, which some clouds give to pods
] as const)
  INSIDE_ADDRESSES.addSubnet(network, prefix, 'ipv4');
INSIDE_ADDRESSES.addAddress('::1', 'ipv6');
INSIDE_ADDRESSES.addSubnet('fc00::', 7, 'ipv6');

/**
 * Whether a host is this machine or in a private network: by its address, or by a name that only a resolver inside knows. Such a
 * name is a single word (`idcard` in Docker and Kubernetes), or ends with a word that is never delegated.
 * @param hostname as `URL` spells it
 */
export function isInside(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family !== 0) return INSIDE_ADDRESSES.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return !host.includes('.') || INSIDE_NAMES.test(host);
}
