import type { z } from 'zod';
import type { ProblemFactory } from '../problems/define.ts';

/** What a route declares once: it validates, types, serializes and documents. */
export interface RouteSchema {
  operationId: string;
  summary: string;
  description?: string;
  tags: readonly [string];
  body?: z.ZodType;
  bodyExamples?: Record<string, unknown>;
  querystring?: z.ZodType;
  response: Record<number, z.ZodType>;
  /** What goes with a success, besides its body; by status. */
  documents?: Record<number, SuccessDocument>;
  /** Header fields of every answer that is this route's own; what each says, by name. */
  answerHeaders?: Record<string, string>;
  /** Problems of this route alone; those that every route can give are added by the document. */
  problems: readonly ProblemFactory[];
}

interface SuccessDocument {
  description: string;
  mediaType?: string;
  example?: unknown;
  headers?: Record<string, string>;
}
