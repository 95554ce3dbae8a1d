import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { unavailable } from '../../problems/general.ts';
import { cookiesNeedHttps, crossSite } from '../../transports/problems.ts';
import { findCurrentUser } from '../current-user.ts';
import { userExample } from '../examples.ts';
import { toUserResponse, UserResponse } from '../user-response.ts';

const schema = {
  operationId: 'getMe',
  summary: 'The user who is logged in',
  tags: ['Account'],
  response: { 200: UserResponse },
  documents: { 200: { description: 'The user.', example: userExample } },
  problems: [cookiesNeedHttps, crossSite, unavailable],
} satisfies RouteSchema;

export function meRoute(app: App, { directory }: House): void {
  app.get('/v1/me', { schema }, async (request) =>
    toUserResponse(await findCurrentUser(directory, request.claims)),
  );
}
