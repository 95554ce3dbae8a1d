import type { ZodOpenApiOperationObject, ZodOpenApiResponseObject } from 'zod-openapi';
import type { ProblemFactory } from '../problems/define.ts';
import { internalError, invalidToken } from '../problems/general.ts';
import { ProblemDetails } from '../problems/problem.ts';
import { dpopNonceRequired, invalidDpopProof } from '../proofs/dpop/problems.ts';
import { loginRequired, severalCredentials } from '../transports/problems.ts';
import { invalidRequest, payloadTooLarge, unsupportedMediaType } from './problems.ts';
import type { RouteSchema } from './route-schema.ts';

/** A route as OpenAPI describes it: what it takes, and every answer it can give. */
export function describeOperation(method: string, schema: RouteSchema): ZodOpenApiOperationObject {
  const { operationId, summary, description, tags, security, body, querystring } = schema;
  return {
    operationId,
    summary,
    ...(description && { description }),
    tags: [...tags],
    ...(security && { security: [] }),
    ...(querystring && { requestParams: { query: querystring as never } }),
    ...(body && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: { 'application/json': { schema: body, ...examples(schema.bodyExamples) } },
      },
    }),
    responses: { ...successes(schema), ...failures(method, schema) },
  };
}

function successes(route: RouteSchema): Record<string, ZodOpenApiResponseObject> {
  const { response, documents = {}, answerHeaders } = route;
  return Object.fromEntries(
    Object.entries(response).map(([status, schema]) => {
      const document = documents[Number(status)];
      const mediaType = document?.mediaType ?? 'application/json';
      return [
        status,
        {
          description: document?.description ?? 'Success.',
          ...headers({ ...document?.headers, ...answerHeaders }),
          ...(status !== '204' &&
            status !== '304' && {
              content: {
                [mediaType]: {
                  schema,
                  ...examples(document?.example === undefined ? undefined : { success: document.example }),
                },
              },
            }),
        },
      ];
    }),
  );
}

function failures(method: string, schema: RouteSchema): Record<string, ZodOpenApiResponseObject> {
  const problems = [...schema.problems, ...commonProblems(method, schema)];
  const byStatus = Map.groupBy(problems, ({ kind }) => String(kind.status));
  return Object.fromEntries(
    [...byStatus].sort().map(([status, factories]) => [status, failure(schema, factories)]),
  );
}

function failure(route: RouteSchema, factories: readonly ProblemFactory[]): ZodOpenApiResponseObject {
  const problems = factories.map((factory) => factory({ retryAfterSeconds: 2 }));
  const status = problems[0]?.kind.status ?? 500;
  const isOwn = factories.some((factory) => route.problems.includes(factory));
  const sent: Record<string, string> = isOwn ? { ...route.answerHeaders } : {};
  if (problems.some(({ kind }) => kind.challenge !== undefined)) sent['WWW-Authenticate'] = 'RFC 6750 §3';
  if (status === 429 || status === 503) sent['Retry-After'] = 'Seconds to wait.';
  return {
    description: problems.map((problem) => `${problem.kind.title}.`).join(' '),
    ...headers(sent),
    content: {
      'application/problem+json': {
        schema: ProblemDetails,
        ...examples(Object.fromEntries(problems.map((problem) => [problem.kind.slug, problem.toJSON()]))),
      },
    },
  };
}

/** What every route, every method that may bring a body, and every route behind a login can answer with. */
function commonProblems(method: string, schema: RouteSchema): ProblemFactory[] {
  return [
    invalidRequest,
    ...(method !== 'get' ? [payloadTooLarge, unsupportedMediaType] : []),
    ...(schema.security
      ? []
      : [
          severalCredentials,
          loginRequired,
          invalidToken,
          invalidDpopProof.resource,
          dpopNonceRequired.resource,
        ]),
    internalError,
  ];
}

function examples(values: Record<string, unknown> | undefined) {
  if (!values) return {};
  return { examples: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])) };
}

function headers(descriptions: Record<string, string>) {
  const described = Object.entries(descriptions).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' as const } },
  ]);
  return described.length > 0 ? { headers: Object.fromEntries(described) } : {};
}
