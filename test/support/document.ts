import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** Any part of the document. */
export type Json = { [name: string]: Json } & { [index: number]: Json };

/** The committed text. */
export const documentText = readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8');
export const document: Json = parse(documentText);
export const components = document.components?.schemas ?? {};
export const sharedResponses = document.components?.responses ?? {};

/** A response as it stands, or the shared one that it refers to. */
export function resolvedResponse(response: Json): Json {
  const name = String(response.$ref ?? '').replace('#/components/responses/', '');
  return sharedResponses[name] ?? response;
}

export interface Answer {
  /** In any case. */
  method: string;
  /** Without the query. */
  path: string;
  status: number;
  /** Without parameters. */
  mediaType: string;
  body: string;
}

/** What the document does not say of an answer of the server; undefined when it says all, or has no such route. */
export function objectionTo({ method, path, status, mediaType, body }: Answer): string | undefined {
  const operation = document.paths?.[path]?.[method.toLowerCase()];
  if (!operation) return undefined;
  const name = `${method} ${path} ${status}`;
  const response = operation.responses?.[status];
  if (!response) return `${name} is not documented.`;
  const documented = resolvedResponse(response);
  if (documented.content === undefined) return body === '' ? undefined : `${name} has a body.`;
  const content = documented.content[mediaType];
  if (!content) return `${name} is ${mediaType}.`;
  if (mediaType === 'application/problem+json') {
    const kind = JSON.parse(body).type.split(':').at(-1);
    if (content.examples?.[kind] === undefined) return `${name} ${kind} is not documented.`;
  }
  const { error } = validatorOf(content.schema).safeParse(
    mediaType.endsWith('json') ? JSON.parse(body) : body,
  );
  return error && `${name} is not as documented: ${error.message}`;
}

const validators = new WeakMap<object, z.ZodType>();

/** A validator that also refuses an object that has more than its schema names. */
export function validatorOf(schema: Json | undefined): z.ZodType {
  const known = schema && validators.get(schema);
  if (known) return known;
  const close = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(close);
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' ? String(member).replace('#/components/schemas/', '#/$defs/') : close(member),
    ]);
    const isObject = 'type' in value && value.type === 'object';
    return { ...Object.fromEntries(members), ...(isObject && { additionalProperties: false }) };
  };
  const validator = z.fromJSONSchema({ ...Object(close(schema)), $defs: Object(close(components)) });
  if (schema) validators.set(schema, validator);
  return validator;
}
