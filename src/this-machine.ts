/** Whether a host, as it stands in a URL or without its brackets, is one that nobody else can reach. */
export function isThisMachine(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/.test(hostname);
}
