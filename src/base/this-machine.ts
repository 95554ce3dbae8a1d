/** Whether a host, as it stands in a URL or without its brackets, is one that nobody else can reach. */
export function isThisMachine(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/.test(hostname);
}

/** Whether clients come to an address over a network in plain text, so that whoever is on the way reads and changes all of it. */
export function isUnprotected(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !isThisMachine(hostname);
}
