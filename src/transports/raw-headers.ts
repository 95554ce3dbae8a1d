/**
 * The index of a header's value in `rawHeaders`, which holds names and values in turn; -1 when the header was not sent. Every
 * request calls this: it is cheaper than `request.headers`, which Node.js builds at the first read.
 * @param name in lower case
 */
export function findHeader(rawHeaders: readonly string[], name: string, from = 0): number {
  for (let index = from; index < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) return index + 1;
  }
  return -1;
}
