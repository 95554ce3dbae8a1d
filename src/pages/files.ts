import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

/** A file of a page, with its entity tag (RFC 9110 §8.8.3). */
export interface PageFile {
  bytes: Buffer;
  etag: string;
}

export function readPageFile(name: string): PageFile {
  const bytes = readFileSync(locate(name));
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
}

/** The compiled program has all files in one folder; a checkout has only those of idcard there. */
function locate(name: string): URL {
  const own = new URL(`../pages/${name}`, import.meta.url);
  return existsSync(own) ? own : new URL(import.meta.resolve(`swagger-ui-dist/${name}`));
}
