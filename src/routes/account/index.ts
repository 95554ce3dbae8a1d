import { authentication } from '../../authentication.ts';
import type { House } from '../../house.ts';
import type { App } from '../../http/zod.ts';
import { changePasswordRoute } from './change-password.ts';
import { logoutEverywhereRoute } from './logout-everywhere.ts';
import { meRoute } from './me.ts';

/** Routes for the user's own account, behind a login. Routes that a program adds need the same login. */
export async function accountRoutes(app: App, house: House): Promise<void> {
  await app.register(async (locked: App) => {
    await locked.register(authentication, house.guards.ofRequests);
    meRoute(locked, house); // GET /v1/me
    changePasswordRoute(locked, house); // PUT /v1/me/password
    logoutEverywhereRoute(locked, house); // POST /v1/logout-everywhere
    await house.lockedRoutes?.(locked);
  });
}
