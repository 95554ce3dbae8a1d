/** Not that of an app with a scheme of its own, such as capacitor://localhost. */
export function isWebOrigin(origin: string): boolean {
  return /^https?:/.test(origin);
}
