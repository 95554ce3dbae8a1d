import type { House } from '../../house.ts';
import type { App } from '../../http/zod.ts';
import { jwksRoute } from './jwks.ts';
import { openidConfigurationRoute } from './openid-configuration.ts';
import { revocationsRoute } from './revocations.ts';
import { serverMetadataRoute } from './server-metadata.ts';
import { theftBudgetRoute } from './theft-budget.ts';

/** What verifiers have to know, for everybody, caches included. */
export function metadataRoutes(app: App, house: House): void {
  jwksRoute(app, house); // GET /.well-known/jwks.json
  serverMetadataRoute(app, house); // GET /.well-known/oauth-authorization-server
  openidConfigurationRoute(app, house); // GET /.well-known/openid-configuration
  revocationsRoute(app, house); // GET /.well-known/revocations
  theftBudgetRoute(app, house); // GET /v1/theft-budget
}
