/** The origin of a page, for a sentence. A text of a client that is no origin is not repeated. */
export function shownOrigin(origin: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[\w.~:[\]-]{1,100}$/.test(origin) ? `"${origin}"` : 'that it names';
}
