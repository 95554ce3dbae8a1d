/** Tells things apart, and keeps nothing secret: React Native has no `crypto`. */
export function randomId(): string {
  return Math.random().toString(36).slice(2);
}
