import type { FastifyCorsOptions, FastifyCorsOptionsDelegateCallback } from '@fastify/cors';
import { isWebOrigin } from '../base/web-origin.ts';
import type { Config } from '../config/config.ts';
import type { App } from './zod.ts';

type Origins = Pick<Config['server'], 'allowedOrigins' | 'allowedHeaders'>;

/** Lets pages of other origins call, if there are any that may. */
export async function allowOrigins(app: App, origins: Origins): Promise<void> {
  if (origins.allowedOrigins.length === 0) return;
  await app.register(import('@fastify/cors'), corsOptions(origins));
}

/** An exact list; an origin that is not on it gets no CORS header at all. */
function corsOptions({ allowedOrigins, allowedHeaders }: Origins): {
  delegator: FastifyCorsOptionsDelegateCallback;
} {
  const shared: FastifyCorsOptions = {
    strictPreflight: false, // the plugin's refusal is no problem document
    methods: ['GET', 'HEAD', 'POST', 'PUT'],
    allowedHeaders: ['Authorization', 'Content-Type', 'DPoP', ...allowedHeaders],
    exposedHeaders: [
      'WWW-Authenticate',
      'DPoP-Nonce',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'X-Request-Id',
    ],
    maxAge: 600,
  };
  const answers = new Map<string | undefined, FastifyCorsOptions>(
    // Pages of an app (`capacitor://…`) are of another site: there are no cookies for them.
    allowedOrigins.map((origin) => [origin, { ...shared, origin, credentials: isWebOrigin(origin) }]),
  );
  const nobody: FastifyCorsOptions = { origin: false };
  return { delegator: (request, done) => done(null, answers.get(request.headers.origin) ?? nobody) };
}
