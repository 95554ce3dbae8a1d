import type { ZodOpenApiOperationObject, ZodOpenApiResponseObject } from 'zod-openapi';
import type { ProblemFactory } from '../problems/define.ts';
import { internalError } from '../problems/general.ts';
import { ProblemDetails } from '../problems/problem.ts';
import { invalidRequest, payloadTooLarge, unsupportedMediaType } from './problems.ts';
import type { RouteSchema } from './route-schema.ts';

/** A route that the document describes. */
export interface DocumentedRoute {
  /** In lower case. */
  method: string;
  url: string;
  schema: RouteSchema;
  /** Whether the route needs a login. */
  isLocked: boolean;
}

/** A failure that several routes share. */
interface SharedFailure {
  problems: readonly ProblemFactory[];
  /** What each header field says, by name. Fields that follow from the problems are added. */
  headers?: Record<string, string>;
}

export interface FailureTexts {
  /** Problems of every route that needs a login. */
  lockedProblems: readonly ProblemFactory[];
  /** Failures that the document describes once, by their names in it. */
  sharedFailures: Record<string, SharedFailure>;
}

/** Describes a route as OpenAPI does: what it takes, and every answer it can give. */
export function createOperations({ lockedProblems, sharedFailures }: FailureTexts) {
  const shared = new Map(
    Object.entries(sharedFailures).map(([id, failure]) => [keyOf(failure), { id, ...responseOf(failure) }]),
  );

  function failures({ method, schema, isLocked }: DocumentedRoute): Record<string, ZodOpenApiResponseObject> {
    const { problems: own, answerHeaders = {} } = schema;
    const problems = [
      ...own,
      invalidRequest,
      ...(method !== 'get' ? [payloadTooLarge, unsupportedMediaType] : []),
      ...(isLocked ? lockedProblems : []),
      internalError,
    ];
    const byStatus = Map.groupBy(problems, ({ kind }) => String(kind.status));
    return Object.fromEntries(
      [...byStatus].sort().map(([status, problems]) => {
        const isOwn = problems.some((problem) => own.includes(problem));
        const failure = { problems, headers: isOwn ? answerHeaders : {} };
        return [status, shared.get(keyOf(failure)) ?? responseOf(failure)];
      }),
    );
  }

  return (route: DocumentedRoute): ZodOpenApiOperationObject => {
    const { operationId, summary, description, tags, body, bodyExamples, querystring } = route.schema;
    return {
      operationId,
      summary,
      ...(description && { description }),
      tags: [...tags],
      ...(!route.isLocked && { security: [] }),
      ...(querystring && { requestParams: { query: querystring as never } }),
      ...(body && {
        requestBody: {
          required: !body.safeParse(undefined).success,
          content: { 'application/json': { schema: body, ...examples(bodyExamples) } },
        },
      }),
      responses: { ...successes(route.schema), ...failures(route) },
    };
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

function responseOf({ problems: factories, headers: ownHeaders }: SharedFailure): ZodOpenApiResponseObject {
  const problems = factories.map((factory) => factory({ retryAfterSeconds: 2 }));
  const status = problems[0]?.kind.status ?? 500;
  const sent: Record<string, string> = { ...ownHeaders };
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

/** Equal for failures that are described alike. */
function keyOf({ problems, headers = {} }: SharedFailure): string {
  return JSON.stringify([problems.map(({ kind }) => kind), headers]);
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
