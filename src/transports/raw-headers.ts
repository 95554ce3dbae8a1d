/**
 * Where the value of a header stands in `rawHeaders`, which holds names and values in turn as they were sent; -1 when it
 * was not. On the path of every request this is cheaper than `request.headers`, which Node builds when it is first read.
 * @param name in lower case
 */
export function findHeader(rawHeaders: readonly string[], name: string, from = 0): number {
  for (let index = from; index < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) return index + 1;
  }
  return -1;
}
