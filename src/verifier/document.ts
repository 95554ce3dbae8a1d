/** Asks the issuer for a document; undefined when the document with the entity tag is still the latest. */
export type FetchDocument = (wanted: Wanted) => Promise<Document | undefined>;

interface Wanted {
  path: string;
  mediaTypes: readonly string[];
  /** The size of the text, without compression. */
  maxBytes: number;
  /** The entity tag of the document that is here already (RFC 9110 §8.8.3). */
  etag?: string | undefined;
}

interface Document {
  text: string;
  headers: Headers;
}

/** How long a whole answer may take. Fastify gives a plugin 10 s to be ready. */
const TIMEOUT_MS = 3000;

/**
 * Bounds the time and the memory of an answer, and follows no redirect, whatever stands at the issuer's address.
 * @param baseUrl where the issuer answers
 * @param closing aborts requests that are under way
 */
export function createFetchDocument(
  fetch: typeof globalThis.fetch,
  baseUrl: string,
  closing: AbortSignal,
): FetchDocument {
  return async ({ path, mediaTypes, maxBytes, etag }) => {
    refuseUncheckedTls(baseUrl);
    // Not AbortSignal.any: each call would leave something behind in `closing`, which lives long.
    const giveUp = new AbortController();
    const abort = () => giveUp.abort();
    const timer = setTimeout(abort, TIMEOUT_MS).unref();
    closing.addEventListener('abort', abort);
    try {
      const response = await fetch(baseUrl + path, {
        headers: {
          accept: mediaTypes.join(', '),
          'cache-control': 'no-cache', // a cache on the way must ask the issuer
          ...(etag !== undefined && { 'if-none-match': etag }),
        },
        redirect: 'error',
        signal: giveUp.signal,
      });
      const objection = objectionTo(response, mediaTypes, etag);
      if (objection !== undefined) throw new Error(`${baseUrl}${path} answered ${objection}`);
      if (response.status === 304) return undefined;
      return { text: await readText(response, maxBytes), headers: response.headers };
    } finally {
      clearTimeout(timer);
      closing.removeEventListener('abort', abort);
      abort(); // does not wait for the rest of an answer
    }
  };
}

/** With this variable Node.js checks no certificate, so that anybody could give keys. `fetch` has no option against it. */
function refuseUncheckedTls(url: string): void {
  if (url.startsWith('https:') && process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0')
    throw new Error(
      `${url} is not asked while NODE_TLS_REJECT_UNAUTHORIZED=0 turns off the check of certificates: remove that, and name the file of your own authority in NODE_EXTRA_CA_CERTS`,
    );
}

function objectionTo(response: Response, mediaTypes: readonly string[], etag?: string): string | undefined {
  const { status, headers } = response;
  if (status === 304 && etag !== undefined) return undefined;
  if (status !== 200) return String(status);
  const mediaType = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? 'no media type';
  return mediaTypes.includes(mediaType) ? undefined : mediaType;
}

async function readText({ url, body }: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`${url} answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
