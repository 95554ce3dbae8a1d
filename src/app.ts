import cookie from '@fastify/cookie';
import { isLocked } from './authentication.ts';
import { basePathOf } from './base/issuer.ts';
import { type Config, refuseUndecided } from './config/config.ts';
import { buildHouse, type House, type Lifecycle } from './house.ts';
import { allowOrigins } from './http/cors.ts';
import { documentRoutes } from './http/documented-routes.ts';
import { handleProblems } from './http/error-handler.ts';
import { acceptJsonOnly } from './http/json-body.ts';
import type { OpenApiTexts } from './http/openapi.ts';
import { logRequests } from './http/request-log.ts';
import { setSecurityHeaders } from './http/security-headers.ts';
import type { App } from './http/zod.ts';
import type { Parts } from './parts.ts';
import { accountRoutes } from './routes/account/index.ts';
import { loginRoutes } from './routes/login/index.ts';
import { metadataRoutes } from './routes/metadata/index.ts';
import { operationsRoutes } from './routes/operations/index.ts';
import { verificationRoutes } from './routes/verification/index.ts';

export interface IdcardApp extends App {
  /** The OpenAPI document of the routes. */
  openapi(): Promise<OpenApiTexts>;
  /** Polls by hand, for tests whose clock stands still. */
  pollRevocations(): Promise<void>;
  /** Makes `GET /readyz` answer 503, so that a balancer looks elsewhere. Requests that still come are served. */
  beginStop(signal: string): void;
}

/**
 * Builds the app of a configuration, and opens its keys, its database and its limits. Closing the app closes them. The
 * app does not listen yet; until it does, a program may add routes of its own.
 * @throws StartupError
 */
export async function buildApp(config: Config, parts: Parts = {}): Promise<IdcardApp> {
  refuseUndecided(config);
  const house = await buildHouse(config, parts);
  try {
    return await addRoutes(house);
  } catch (error) {
    await house.close(); // a program that embeds idcard goes on without it
    throw error;
  }
}

async function addRoutes(house: House): Promise<IdcardApp> {
  const { app, config, feed, lifecycle, events } = house;
  const openapi = documentRoutes(app, {
    basePath: basePathOf(config.server.publicUrl),
    isLocked,
    texts: async () => (await import('./routes/document.ts')).documentTexts,
  });
  handleProblems(app, config.server.publicUrl + (config.server.docsPage ? '/docs' : '/openapi.yaml'), events);
  acceptJsonOnly(app);
  setSecurityHeaders(app);
  logRequests(app, ({ claims }) => claims?.sub);
  closeConnections(app, lifecycle);
  await app.register(cookie, { hook: false }); // cookies are read where one is expected, not on every request
  await allowOrigins(app, config.server);

  loginRoutes(app, house);
  metadataRoutes(app, house);
  await operationsRoutes(app, house, openapi);
  await verificationRoutes(app, house);
  await accountRoutes(app, house);

  app.addHook('onReady', async () => {
    await feed.poll(); // no token is verified before the first list is here
    feed.start(); // not on listen: an embedded app may never listen itself
  });
  app.addHook('preClose', async () => {
    lifecycle.stopping = true; // nobody calls `beginStop` of an embedded app
  });
  app.addHook('onClose', () => house.close());
  return Object.assign(app, {
    openapi,
    pollRevocations: feed.poll,
    beginStop(signal: string) {
      lifecycle.stopping = true;
      events.tell('server.stopping', { signal });
    },
  });
}

/** A connection that is kept alive would outlive its answer, and hold up the process that has to stop. */
function closeConnections(app: App, lifecycle: Lifecycle): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (lifecycle.stopping) reply.header('connection', 'close');
    done(null, payload);
  });
}
