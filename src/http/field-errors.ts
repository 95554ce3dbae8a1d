import { z } from 'zod';
import type { FieldError } from '../problems/problem.ts';
import { nearest } from './nearest.ts';

/** Bounds the answer to a request with thousands of unknown fields. */
const MOST_ERRORS = 20;

/** Says what is wrong with each field, in sentences that repeat no value. `issues` must report their input. */
export function toFieldErrors(issues: readonly z.core.$ZodIssue[], schema: z.ZodType): FieldError[] {
  const known = fieldsOf(schema);
  const errors = new Map<string, FieldError>();
  for (const issue of issues) {
    for (const error of errorsOf(issue, known)) {
      if (errors.size >= MOST_ERRORS) break;
      // The later errors of a field follow from its first.
      if (!errors.has(error.pointer)) errors.set(error.pointer, error);
    }
  }
  return [...errors.values()];
}

function errorsOf(issue: z.core.$ZodIssue, known: readonly string[]): FieldError[] {
  if (issue.code !== 'unrecognized_keys') return [{ pointer: pointer(issue.path), ...describe(issue) }];
  return issue.keys.slice(0, MOST_ERRORS).map((key) => ({
    pointer: pointer([...issue.path, key]),
    code: 'unknown-field',
    detail: `There is no such field; ${hint(key, known)}`,
  }));
}

function hint(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return meant === undefined ? `known are: ${known.join(', ')}.` : `did you mean "${meant}"?`;
}

/** The sentences of zod are for programmers; those of our own schemas are for everybody. */
function describe(issue: z.core.$ZodIssue): Omit<FieldError, 'pointer'> {
  switch (issue.code) {
    case 'invalid_type':
      return describeType(issue);
    case 'invalid_value':
      return {
        code: 'not-one-of',
        detail: `Must be ${issue.values.map((value) => `"${String(value)}"`).join(' or ')}.`,
      };
    case 'too_small':
      return { code: 'too-short', detail: `${issue.message}.` };
    case 'too_big':
      return { code: 'too-long', detail: `${issue.message}.` };
    case 'custom':
      return { code: String(issue.params?.code ?? 'invalid'), detail: `${issue.message}.` };
    default:
      return { code: 'invalid', detail: `${issue.message}.` };
  }
}

function describeType({ input, expected }: z.core.$ZodIssueInvalidType) {
  if (input === undefined) return { code: 'missing', detail: 'Is missing.' };
  return { code: 'wrong-type', detail: `Must be ${nameOfType(expected)}, is ${nameOfType(typeOf(input))}.` };
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const NAMES: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a JSON object',
};

function nameOfType(type: string): string {
  return NAMES[type] ?? type;
}

/** The names of the fields of an object, which may be optional. */
function fieldsOf(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodOptional) return fieldsOf(schema.unwrap() as z.ZodType);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** A JSON Pointer (RFC 6901 §6). A name is cut, since the client may have made it up. */
function pointer(path: readonly PropertyKey[]): string {
  return `#${path.map((part) => `/${encodeURIComponent(escapeToken(String(part).slice(0, 64).toWellFormed()))}`).join('')}`;
}

function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
