import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Gives requests their `claims` and `transport`, which are there once a login was required. Read elsewhere they throw:
 * an undefined that is typed as claims would let a forgotten hook pass as a user without roles.
 * @returns whether a request has them
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

/** Fastify's types know no decorator that is named by a symbol. */
function valuesOf(request: unknown): Record<symbol, unknown> {
  return request as Record<symbol, unknown>;
}
