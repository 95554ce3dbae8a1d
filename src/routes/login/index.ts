import type { House } from '../../house.ts';
import type { App } from '../../http/zod.ts';
import { loginRoute } from './login.ts';
import { logoutRoute } from './logout.ts';
import { refreshRoute } from './refresh.ts';
import { registerRoute } from './register.ts';

/** For everybody, since whoever logs in has no token yet. What costs a hash is counted as an attempt. */
export function loginRoutes(app: App, house: House): void {
  registerRoute(app, house); // POST /v1/register
  loginRoute(app, house); // POST /v1/login
  refreshRoute(app, house); // POST /v1/refresh
  logoutRoute(app, house); // POST /v1/logout
}
