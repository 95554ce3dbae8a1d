/** An id that may be guessed: React Native has no `crypto`. */
export function randomId(): string {
  return Math.random().toString(36).slice(2);
}
