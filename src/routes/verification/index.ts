import { authentication } from '../../authentication.ts';
import type { House } from '../../house.ts';
import { passPreflights } from '../../http/preflights.ts';
import type { App } from '../../http/zod.ts';
import { verifyRoute } from './verify.ts';

/** For proxies that ask on behalf of other requests. The routes need a login. */
export async function verificationRoutes(app: App, house: House): Promise<void> {
  await app.register(async (locked: App) => {
    if (house.isProxy) passPreflights(locked, house.isProxy);
    await locked.register(authentication, house.guards.ofProxies);
    verifyRoute(locked, house); // GET /v1/verify
  });
}
