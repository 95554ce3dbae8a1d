import { stringify } from 'yaml';
import {
  type CreateDocumentOptions,
  createDocument,
  type ZodOpenApiComponentsObject,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
} from 'zod-openapi';
import { createOperations, type DocumentedRoute, type FailureTexts } from './openapi-operation.ts';

export type { DocumentedRoute };

/** What the document says besides its routes. */
export interface DocumentTexts
  extends Required<Pick<ZodOpenApiObject, 'info' | 'tags' | 'security'>>,
    FailureTexts {
  securitySchemes: NonNullable<ZodOpenApiComponentsObject['securitySchemes']>;
}

export interface OpenApiTexts {
  json: string;
  yaml: string;
  /** For generators that know no OpenAPI 3.1: the same in OpenAPI 3.0. */
  yaml30: string;
}

/** Writes the document of the routes, in each spelling. */
export function writeOpenApi(
  routes: readonly DocumentedRoute[],
  basePath: string,
  texts: DocumentTexts,
): OpenApiTexts {
  const { info, security, tags, securitySchemes } = texts;
  const servers = [{ url: basePath || '/', description: 'The server this document came from' }];
  const describeOperation = createOperations(texts);
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    paths[route.url] = { ...paths[route.url], [route.method]: describeOperation(route) };
  }
  const spell = (openapi: ZodOpenApiObject['openapi']) =>
    createDocument(
      { openapi, info, servers, security, tags, components: { securitySchemes }, paths },
      {
        override: ({ jsonSchema, io }) => {
          // An answer may gain a field; a client generated today must not refuse it.
          if (io === 'output') delete jsonSchema.additionalProperties;
          // Some generators demand a field that has a default.
          if (io === 'input') delete jsonSchema.default;
          if (openapi === '3.0.3') spellFor30(jsonSchema);
        },
      },
    );
  const document = spell('3.1.0');
  return { json: JSON.stringify(document), yaml: toYaml(document), yaml30: toYaml(spell('3.0.3')) };
}

/** Does what the library leaves undone for OpenAPI 3.0. */
function spellFor30(jsonSchema: JsonSchema): void {
  const { type, examples, allOf, ...others } = jsonSchema;
  if (examples) jsonSchema.example = examples[0];
  delete jsonSchema.examples;
  // Without this, generators for Java, Kotlin, C# and Go take 32 bits, which hold seconds until 2038 only.
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
