/** What one request may cost before it is understood; Fastify and Node have none of the times by default. */
export const LIMITS = {
  bodyLimit: 16_384,
  /** For the whole request to arrive. */
  requestTimeout: 15_000,
  /** For a connection on which nothing moves, an answer that waits for a password hash included. */
  connectionTimeout: 60_000,
  http: {
    maxHeaderSize: 16_384,
    requireHostHeader: false, // `security-headers.ts` sees to it
    headersTimeout: 10_000,
    // How often Node looks for requests that are over their time.
    connectionsCheckingInterval: 5_000,
  },
} as const;
