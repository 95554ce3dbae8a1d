import type { z } from 'zod';
import type { ProblemFactory } from '../problems/define.ts';

/** What a route declares once, for validation, types, serialization and the document. */
export interface RouteSchema {
  operationId: string;
  summary: string;
  description?: string;
  tags: readonly [string];
  body?: z.ZodType;
  bodyExamples?: Record<string, unknown>;
  querystring?: z.ZodType;
  response: Record<number, z.ZodType>;
  /** What the document says of a success, besides its body; by status. */
  documents?: Record<number, SuccessDocument>;
  /** Header fields of every answer that the route itself gives: what each says, by name. */
  answerHeaders?: Record<string, string>;
  /** Problems of this route alone. The document adds those that every route can give. */
  problems: readonly ProblemFactory[];
}

interface SuccessDocument {
  description: string;
  mediaType?: string;
  example?: unknown;
  headers?: Record<string, string>;
}
