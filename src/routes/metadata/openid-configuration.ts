import { z } from 'zod';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { discoveryExample, discoveryMembers, discoveryRoute } from './discovery.ts';

const schema = {
  operationId: 'getOpenidConfiguration',
  summary: 'The same metadata, where gateways look',
  description:
    'For gateways and frameworks that look for an issuer and its keys here alone. idcard is no OpenID provider: there are ' +
    'no ID tokens and no endpoints of OAuth. The algorithms are those of the published keys, which sign access tokens.',
  tags: ['Metadata'],
  response: {
    200: z
      .object({
        ...discoveryMembers,
        subject_types_supported: z.array(z.string()),
        id_token_signing_alg_values_supported: z.array(z.string()),
      })
      .meta({
        id: 'OpenidConfiguration',
        description: 'OpenID Connect Discovery 1.0 §3, as far as it is true',
      }),
  },
  documents: {
    200: {
      description: 'The metadata.',
      example: {
        ...discoveryExample,
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      },
    },
  },
  problems: [],
} satisfies RouteSchema;

export function openidConfigurationRoute(app: App, house: House): void {
  discoveryRoute(app, house, '/.well-known/openid-configuration', schema, () => ({
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(house.keySet.jwks().keys.map(({ alg }) => alg))],
  }));
}
