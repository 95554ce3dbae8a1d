import { stringify } from 'yaml';
import {
  type CreateDocumentOptions,
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
} from 'zod-openapi';
import packageJson from '../../package.json' with { type: 'json' };
import { describeOperation } from './openapi-operation.ts';
import type { RouteSchema } from './route-schema.ts';

/** A route that the document describes. */
export interface DocumentedRoute {
  /** In lower case. */
  method: string;
  url: string;
  schema: RouteSchema;
}

export interface OpenApiTexts {
  json: string;
  yaml: string;
  /** For generators that know no OpenAPI 3.1: the same in OpenAPI 3.0. */
  yaml30: string;
}

/** The document of the routes, in each spelling. */
export function writeOpenApi(routes: readonly DocumentedRoute[], basePath: string): OpenApiTexts {
  const servers = [{ url: basePath || '/', description: 'The server this document came from' }];
  const document = describe({ openapi: '3.1.0', info: INFO, servers }, routes);
  return {
    json: JSON.stringify(document),
    yaml: toYaml(document),
    yaml30: toYaml(describe({ openapi: '3.0.3', info: INFO, servers }, routes)),
  };
}

function describe(
  head: Pick<ZodOpenApiObject, 'openapi' | 'info' | 'servers'>,
  routes: readonly DocumentedRoute[],
) {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const { method, url, schema } of routes) {
    paths[url] = { ...paths[url], [method]: describeOperation(method, schema) };
  }
  return createDocument(
    { ...head, ...COMMON, paths },
    {
      override: ({ jsonSchema, io }) => {
        // An answer may gain a field; a client generated today must not refuse it.
        if (io === 'output') delete jsonSchema.additionalProperties;
        // Some generators make a field with a default one that must be sent.
        if (io === 'input') delete jsonSchema.default;
        if (head.openapi === '3.0.3') spellFor30(jsonSchema);
      },
    },
  );
}

/** What the library leaves to do. */
function spellFor30(jsonSchema: JsonSchema): void {
  const { type, examples, allOf, ...others } = jsonSchema;
  if (examples) jsonSchema.example = examples[0];
  delete jsonSchema.examples;
  // Else Java, Kotlin, C# and Go take 32 bits, whose seconds end in 2038.
  if (type === 'integer') jsonSchema.format = 'int64';
  if (allOf?.length === 1 && Object.keys(others).length === 0) {
    Object.assign(jsonSchema, allOf[0]);
    delete jsonSchema.allOf;
  }
}

type JsonSchema = Parameters<NonNullable<CreateDocumentOptions['override']>>[0]['jsonSchema'];

function toYaml(document: object): string {
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 110 });
}

const INFO = {
  title: 'idcard',
  version: packageJson.version,
  description:
    'A stateless login API: signed tokens, by bearer header or by cookie. Errors are RFC 9457 problems.',
  license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
};

const COMMON = {
  security: [{ bearer: [] }, { dpop: [] }, { cookie: [] }],
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
      dpop: {
        type: 'http' as const,
        scheme: 'DPoP',
        description: 'An access token bound to a key, with a proof in the DPoP header (RFC 9449).',
      },
      cookie: {
        type: 'apiKey' as const,
        in: 'cookie' as const,
        name: '__Host-access',
        description:
          'The access token in a cookie that a browser keeps, set by a login with transport "cookie". Where PUBLIC_URL ' +
          'is http on this machine, for development, its name is `access` and it is not Secure; so it is with the other cookies.',
      },
    },
  },
};
