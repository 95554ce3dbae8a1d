import type { Config } from '../../config/config.ts';
import type { App } from '../../http/zod.ts';

/**
 * Tells who opens the address what it is. The document leaves this route out, since it describes what a client calls. An
 * embedded app does not have this route: its program may have a page of its own there.
 */
export function rootRoute(
  app: App,
  { publicUrl, docsPage }: Pick<Config['server'], 'publicUrl' | 'docsPage'>,
): void {
  const answer = JSON.stringify({
    name: 'idcard',
    description: 'A login API. Nothing is shown here: programs call it.',
    ...(docsPage && { docs: `${publicUrl}/docs` }),
    openapi: `${publicUrl}/openapi.yaml`,
  });
  app.get('/', (_request, reply) =>
    reply.header('x-robots-tag', 'noindex').type('application/json').send(answer),
  );
}
