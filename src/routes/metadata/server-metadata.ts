import { z } from 'zod';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { discoveryExample, discoveryMembers, discoveryRoute } from './discovery.ts';

const schema = {
  operationId: 'getServerMetadata',
  summary: 'The authorization server metadata',
  description:
    'Tells a verifier the issuer and where its keys are. There are no OAuth grants, and none are claimed.',
  tags: ['Metadata'],
  response: {
    200: z.object(discoveryMembers).meta({ id: 'ServerMetadata', description: 'RFC 8414 §2' }),
  },
  documents: {
    200: {
      description: 'The metadata.',
      example: discoveryExample,
    },
  },
  problems: [],
} satisfies RouteSchema;

export function serverMetadataRoute(app: App, house: House): void {
  discoveryRoute(app, house, '/.well-known/oauth-authorization-server', schema);
}
