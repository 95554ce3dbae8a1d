/** Bounds what one request may cost before it is understood. Fastify and Node have none of the times by default. */
export const LIMITS = {
  bodyLimit: 16_384,
  /** How long the whole request may take to arrive, in milliseconds. */
  requestTimeout: 15_000,
  /** How long nothing may move on a connection, in milliseconds. An answer may wait that long for a password hash. */
  connectionTimeout: 60_000,
  http: {
    maxHeaderSize: 16_384,
    requireHostHeader: false, // `security-headers.ts` demands the header
    headersTimeout: 10_000,
    // How often Node looks for requests that are over their time.
    connectionsCheckingInterval: 5_000,
  },
} as const;
