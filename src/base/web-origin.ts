/** Whether an origin is one of web pages, and not of an app with its own scheme, such as capacitor://localhost. */
export function isWebOrigin(origin: string): boolean {
  return /^https?:/.test(origin);
}
