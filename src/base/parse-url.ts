/** `URL.parse`, which Node.js 20 lacks, where the verifier runs as well. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
