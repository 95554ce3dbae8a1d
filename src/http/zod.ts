import fastJson from 'fast-json-stringify';
import type {
  FastifyInstance,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { FastifyBaseLogger } from 'fastify/types/logger.js';
import type { FastifySerializerCompiler } from 'fastify/types/schema.js';
import { z } from 'zod';
import { toFieldErrors } from './field-errors.ts';
import { invalidRequest } from './problems.ts';

/** A route's zod schemas type its handler. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown;
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

const NO_BODY = 'The request has no body: send a JSON object with "Content-Type: application/json".';

/** Validates without coercion. Errors name each wrong field and repeat no value. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const inBody = httpPart === 'body';
  // Nearly every request has no query. The result for no query is computed once.
  const { success, data } = schema.safeParse({});
  const noQuery = httpPart === 'querystring' && success ? { value: Object.freeze(data) } : undefined;
  return (input: unknown) => {
    if (noQuery && isEmpty(input)) return noQuery;
    // Fastify gives null where there was no body.
    const value = inBody && input === null ? undefined : input;
    const result = schema.safeParse(value, { reportInput: true }); // by its input, toFieldErrors tells a missing field from a wrong one
    if (result.success) return { value: result.data };
    return {
      error: invalidRequest({
        detail:
          value === undefined
            ? NO_BODY
            : `Something in the ${inBody ? 'JSON body' : 'query'} is wrong; errors says what.`,
        errors: toFieldErrors(result.error.issues, schema),
      }),
    };
  };
};

/** Fastify's own serializer, fed from the zod schema: a field that is not declared cannot leak. */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> = ({ schema, httpStatus }) => {
  if (httpStatus === '204' || httpStatus === '304') return () => '';
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io: 'output', reused: 'inline' });
  return fastJson(withoutKeywords(jsonSchema) as fastJson.Schema);
};

/**
 * The serializer needs the shape alone; `format` would make it rewrite strings, and ids of inlined
 * schemas would clash.
 */
function withoutKeywords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutKeywords);
  if (typeof schema !== 'object' || schema === null) return schema;
  const shape: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'format' || key === 'id' || key === 'pattern') continue;
    shape[key] =
      key === 'properties'
        ? Object.fromEntries(
            Object.entries(value).map(([name, property]) => [name, withoutKeywords(property)]),
          )
        : withoutKeywords(value);
  }
  return shape;
}

function isEmpty(query: unknown): boolean {
  for (const _ in query as object) return false;
  return true;
}
