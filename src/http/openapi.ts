import { readFileSync } from 'node:fs';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { stringify } from 'yaml';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponseObject } from 'zod-openapi';
import {
  internalError,
  invalidRequest,
  invalidToken,
  loginRequired,
  type ProblemFactory,
  payloadTooLarge,
  severalCredentials,
  unsupportedMediaType,
} from '../problems/catalogue.ts';
import { ProblemDetails } from '../problems/problem.ts';
import type { RouteSchema } from './route-schema.ts';

export type OpenApiDocument = ReturnType<typeof createDocument>;

/** Collects the routes that are registered from now on; call the result once the app is ready. */
export function documentRoutes(app: FastifyInstance): () => OpenApiDocument {
  const operations: { method: string; url: string; schema: RouteSchema }[] = [];
  app.addHook('onRoute', (route: RouteOptions) => {
    const schema = route.schema as RouteSchema | undefined;
    if (schema?.operationId && route.method !== 'HEAD') {
      operations.push({ method: String(route.method).toLowerCase(), url: route.url, schema });
    }
  });
  return () => {
    const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
    for (const { method, url, schema } of operations) {
      paths[url] = { ...paths[url], [method]: toOperation(schema) };
    }
    return createDocument(
      { ...HEAD, paths },
      {
        override: ({ jsonSchema, io }) => {
          // An answer may gain a field; a client generated today must not refuse it.
          if (io === 'output') delete jsonSchema.additionalProperties;
        },
      },
    );
  };
}

export function toYaml(document: OpenApiDocument): string {
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 110 });
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const HEAD = {
  openapi: '3.1.0' as const,
  info: {
    title: 'idcard',
    version: String(version),
    description:
      'A stateless login API: signed tokens, by bearer header or by cookie. Errors are RFC 9457 problems.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'The server this document came from' }],
  security: [{ bearer: [] }, { cookie: [] }],
  tags: [
    { name: 'Login', description: 'Get tokens, renew them, give them up.' },
    { name: 'Account', description: 'The user who is logged in.' },
    { name: 'Verification', description: 'For services and proxies that trust this issuer.' },
    { name: 'Metadata', description: 'What a verifier needs to know.' },
    { name: 'Operations', description: 'For the platform it runs on.' },
  ],
  components: {
    securitySchemes: {
      bearer: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The access token in the Authorization header (RFC 6750).',
      },
      cookie: {
        type: 'apiKey' as const,
        in: 'cookie' as const,
        name: '__Host-access',
        description:
          'The access token in a cookie that a browser keeps, set by a login with transport "cookie".',
      },
    },
  },
};

function toOperation(schema: RouteSchema): ZodOpenApiOperationObject {
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
    responses: { ...successes(schema), ...failures(schema) },
  };
}

function successes({ response, documents = {} }: RouteSchema): Record<string, ZodOpenApiResponseObject> {
  return Object.fromEntries(
    Object.entries(response).map(([status, schema]) => {
      const document = documents[Number(status)];
      const mediaType = document?.mediaType ?? 'application/json';
      return [
        status,
        {
          description: document?.description ?? 'Success.',
          ...(document?.headers && { headers: headers(document.headers) }),
          ...(status !== '204' && {
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

function failures(schema: RouteSchema): Record<string, ZodOpenApiResponseObject> {
  const problems = [...schema.problems, ...commonProblems(schema)];
  const byStatus = Map.groupBy(problems, ({ kind }) => String(kind.status));
  return Object.fromEntries([...byStatus].sort().map(([status, factories]) => [status, failure(factories)]));
}

function failure(factories: readonly ProblemFactory[]): ZodOpenApiResponseObject {
  const problems = factories.map((factory) => factory({ retryAfterSeconds: 2 }));
  const status = problems[0]?.kind.status ?? 500;
  const sent: Record<string, string> = {};
  if (problems.some((problem) => problem.headers['www-authenticate']))
    sent['WWW-Authenticate'] = 'RFC 6750 §3';
  if (status === 429 || status === 503) sent['Retry-After'] = 'Seconds to wait.';
  return {
    description: problems.map((problem) => `${problem.kind.title}.`).join(' '),
    ...(Object.keys(sent).length > 0 && { headers: headers(sent) }),
    content: {
      'application/problem+json': {
        schema: ProblemDetails,
        ...examples(Object.fromEntries(problems.map((problem) => [problem.kind.slug, problem.toJSON()]))),
      },
    },
  };
}

/** What every route, every route with a body, and every route behind a login can answer with. */
function commonProblems(schema: RouteSchema): ProblemFactory[] {
  return [
    invalidRequest,
    ...(schema.body ? [payloadTooLarge, unsupportedMediaType] : []),
    ...(schema.security ? [] : [severalCredentials, loginRequired, invalidToken]),
    internalError,
  ];
}

function examples(values: Record<string, unknown> | undefined) {
  if (!values) return {};
  return { examples: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])) };
}

function headers(descriptions: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(descriptions).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' as const } },
    ]),
  );
}
