import { authentication } from '../../authentication.ts';
import type { House } from '../../house.ts';
import { passPreflights } from '../../http/preflights.ts';
import type { App } from '../../http/zod.ts';
import { verifyRoute } from './verify.ts';

/** Behind a login, for proxies that ask on behalf of other requests. */
export async function verificationRoutes(app: App, house: House): Promise<void> {
  await app.register(async (locked: App) => {
    if (house.isProxy) passPreflights(locked, house.isProxy);
    await locked.register(authentication, house.guards.ofProxies);
    verifyRoute(locked, house); // GET /v1/verify
  });
}
