/** Whether a host is this machine, which nobody else reaches by that name. @param host as in a URL, or without its brackets */
export function isThisMachine(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/.test(hostname);
}

/** Whether an address is plain text over a network: whoever is on the way reads and changes everything. */
export function isUnprotected(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !isThisMachine(hostname);
}
