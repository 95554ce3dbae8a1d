import { z } from 'zod';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { cookiesNeedHttps, crossSite } from '../../transports/problems.ts';

const schema = {
  operationId: 'logout',
  summary: 'Log out here',
  description:
    'Clears the cookies; a bearer client throws its tokens away. Needs no valid token. ' +
    'Tokens that were copied elsewhere stay valid until they expire: see logout-everywhere.',
  tags: ['Login'],
  response: { 204: z.null() },
  documents: {
    204: {
      description: 'Logged out.',
      headers: { 'Set-Cookie': 'Both cookies of tokens, expired. `__Host-device` stays.' },
    },
  },
  problems: [cookiesNeedHttps, crossSite],
} satisfies RouteSchema;

export function logoutRoute(app: App, { logins }: House): void {
  app.post('/v1/logout', { schema }, async (request, reply) => logins.end(request, reply).code(204).send());
}
