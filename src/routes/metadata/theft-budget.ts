import { z } from 'zod';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { SITUATIONS, STOLEN, theftBudget } from '../../proofs/theft-budget.ts';

const situations = Object.keys(SITUATIONS) as (keyof typeof SITUATIONS)[];

const schema = {
  operationId: 'getTheftBudget',
  summary: 'How long a stolen token works',
  description:
    'In seconds, at worst, for each kind of token and each counter-measure, as this server is configured. ' +
    'A device token logs nobody in: as long as it works, guesses at one account are counted apart for whoever has it.',
  tags: ['Metadata'],
  response: {
    200: z
      .object({
        budget: z.array(
          z
            .object({
              stolen: z.enum(STOLEN),
              situation: z.enum(situations),
              seconds: z.int(),
            })
            .meta({ id: 'TheftBudgetEntry' }),
        ),
      })
      .meta({ id: 'TheftBudget' }),
  },
  documents: {
    200: {
      description: 'The theft budget.',
      example: { budget: [{ stolen: 'access_token', situation: 'revoked', seconds: 2 }] },
    },
  },
  problems: [],
} satisfies RouteSchema;

export function theftBudgetRoute(app: App, { config }: House): void {
  const budget = theftBudget(config.tokens);
  app.get('/v1/theft-budget', { schema }, async () => ({ budget }));
}
