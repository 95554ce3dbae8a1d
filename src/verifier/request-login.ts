import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Gives requests `claims` and `transport`, which a `requireLogin` hook fills. A read without that hook throws: with undefined in
 * place of the claims, a forgotten hook would look like a user without roles.
 * @returns whether a request has its claims
 */
export function holdLogin(app: FastifyInstance): (request: FastifyRequest) => boolean {
  const names = ['claims', 'transport'] as const;
  const held = { claims: Symbol('claims'), transport: Symbol('transport') };
  for (const name of names) {
    const key = held[name];
    app.decorateRequest(key, undefined);
    app.decorateRequest(name, {
      getter() {
        const value = valuesOf(this)[key];
        if (value === undefined)
          throw new Error(`request.${name} was read on a route that has no requireLogin hook before it.`);
        return value as never;
      },
      setter(value: unknown) {
        valuesOf(this)[key] = value;
      },
    } as never);
  }
  return (request) => valuesOf(request)[held.claims] !== undefined;
}

/** The types of Fastify know no decorator that is named by a symbol. */
function valuesOf(request: unknown): Record<symbol, unknown> {
  return request as Record<symbol, unknown>;
}
