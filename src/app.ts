import cookie from '@fastify/cookie';
import { isLocked } from './authentication.ts';
import { basePathOf } from './base/issuer.ts';
import { type Config, refuseUndecided } from './config/config.ts';
import { buildHouse, type House, type Lifecycle, type Parts } from './house.ts';
import { allowOrigins } from './http/cors.ts';
import { documentRoutes } from './http/documented-routes.ts';
import { handleProblems } from './http/error-handler.ts';
import { acceptJsonOnly } from './http/json-body.ts';
import type { OpenApiTexts } from './http/openapi.ts';
import { logRequests } from './http/request-log.ts';
import { setSecurityHeaders } from './http/security-headers.ts';
import type { App } from './http/zod.ts';
import { accountRoutes } from './routes/account/index.ts';
import { loginRoutes } from './routes/login/index.ts';
import { metadataRoutes } from './routes/metadata/index.ts';
import { operationsRoutes } from './routes/operations/index.ts';
import { verificationRoutes } from './routes/verification/index.ts';

export interface IdcardApp extends App {
  /** The document of its routes. */
  openapi(): Promise<OpenApiTexts>;
  /** A poll by hand, for tests whose clock stands still. */
  pollRevocations(): Promise<void>;
  /** Not ready from now on, so that a balancer looks elsewhere; what still comes is served. */
  beginStop(signal: string): void;
}

/**
 * The app of a configuration, with its keys, its database and its limits opened; closing it closes them. It does not
 * listen yet, and takes routes of one's own until it does.
 * @throws StartupError
 */
export async function buildApp(config: Config, parts: Parts = {}): Promise<IdcardApp> {
  refuseUndecided(config);
  const house = await buildHouse(config, parts);
  try {
    return await addRoutes(house);
  } catch (error) {
    await house.close(); // who embeds it goes on without
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
    await feed.poll(); // nothing is verified before the first list is here
    feed.start(); // not when it listens: an app that is embedded may never do that itself
  });
  app.addHook('preClose', async () => {
    lifecycle.stopping = true; // an app that is embedded has nobody else to say so
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

/** A connection that is kept alive would outlive its answer and hold the process that is asked to stop. */
function closeConnections(app: App, lifecycle: Lifecycle): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (lifecycle.stopping) reply.header('connection', 'close');
    done(null, payload);
  });
}
