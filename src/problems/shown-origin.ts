/** The origin of a page, as a sentence may name it: nothing else that a client writes is repeated. */
export function shownOrigin(origin: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[\w.~:[\]-]{1,100}$/.test(origin) ? `"${origin}"` : 'that it names';
}
