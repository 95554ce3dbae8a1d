import { hash } from 'node:crypto';

/** SHA-256 in base64url, as thumbprints (RFC 7638) and `ath` (RFC 9449 §4.2) are written. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}
