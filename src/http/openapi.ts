import { stringify } from 'yaml';
import { createDocument, type ZodOpenApiOperationObject } from 'zod-openapi';
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
}

/** The document of the routes, in both spellings. */
export function writeOpenApi(routes: readonly DocumentedRoute[]): OpenApiTexts {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const { method, url, schema } of routes) {
    paths[url] = { ...paths[url], [method]: describeOperation(method, schema) };
  }
  const document = createDocument(
    { ...HEAD, paths },
    {
      override: ({ jsonSchema, io }) => {
        // An answer may gain a field; a client generated today must not refuse it.
        if (io === 'output') delete jsonSchema.additionalProperties;
      },
    },
  );
  return {
    json: JSON.stringify(document),
    yaml: stringify(document, { aliasDuplicateObjects: false, lineWidth: 110 }),
  };
}

const HEAD = {
  openapi: '3.1.0' as const,
  info: {
    title: 'idcard',
    version: packageJson.version,
    description:
      'A stateless login API: signed tokens, by bearer header or by cookie. Errors are RFC 9457 problems.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'The server this document came from' }],
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
          'The access token in a cookie that a browser keeps, set by a login with transport "cookie".',
      },
    },
  },
};
