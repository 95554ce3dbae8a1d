import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';
import type { RequestEvent } from '../events/events.ts';

/** One field of the request that is wrong. */
export interface FieldError {
  /** A JSON Pointer in URI fragment form (RFC 6901 §6), such as `#/password`. */
  pointer: string;
  /** What is wrong, for programs: stable, such as `missing` or `too-short`. */
  code: string;
  /** What is wrong, for people. */
  detail: string;
}

/** What a client may learn about a failure: RFC 9457 problem details. */
export const ProblemDetails = z
  .object({
    type: z.string().meta({ format: 'uri', description: 'Names the kind of problem; stable.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    error: z
      .string()
      .optional()
      .meta({ description: 'The OAuth error code, for clients that look for one (RFC 6749 §5.2).' }),
    errors: z
      .array(
        z
          .object({
            pointer: z.string().meta({ description: 'JSON Pointer to the field, as a URI fragment.' }),
            code: z.string().meta({
              description: 'What is wrong, for programs; stable. There may be more of them one day.',
              examples: ['missing', 'too-short', 'too-easy'],
            }),
            detail: z.string().meta({ description: 'What is wrong, for people.' }),
          })
          .meta({ id: 'FieldError' }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457).' });

/** RFC 6750 §3.1, RFC 9449 §5 and §8, RFC 9470 §3. */
type ErrorCode =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_user_authentication';

export interface ProblemKind {
  /** The last segment of the problem's `type`. */
  slug: string;
  status: number;
  title: string;
  /** Used when the problem is thrown without a detail of its own. */
  detail: string;
  /** The error code of the `WWW-Authenticate` challenge (RFC 6750 §3.1); `null` is a challenge without a code. */
  challenge?: ErrorCode | null;
  /** The error code in the body, where an OAuth client would look for it. */
  error?: ErrorCode;
  /** The event that is told besides the answer. For a failure of the server it has the cause. */
  event?: RequestEvent | 'request.failed';
}

export interface ProblemOptions {
  detail?: string;
  errors?: readonly FieldError[];
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
  /** Parameters of the challenge besides its error code. */
  challenge?: Record<string, string>;
  /** For the log, never for the client. */
  cause?: unknown;
  /** Why, with the values that were compared. Only the log at the level debug calls this. No token, no secret. */
  reason?: (() => string) | undefined;
}

/** Thrown by any layer, answered by the error handler. Built only by `define`. */
export class Problem extends Error {
  override name = 'Problem';
  readonly kind: ProblemKind;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Record<string, string>;
  readonly challenge: Record<string, string>;
  readonly reason: (() => string) | undefined;

  constructor(kind: ProblemKind, options: ProblemOptions = {}) {
    super(options.detail ?? kind.detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.errors = options.errors;
    this.headers = { ...options.headers };
    this.challenge = { ...options.challenge };
    this.reason = options.reason;
    if (options.retryAfterSeconds !== undefined)
      this.headers['retry-after'] = String(options.retryAfterSeconds);
    for (const [name, value] of Object.entries(this.headers)) refuseUnsendable(name, value);
  }

  toJSON(): z.infer<typeof ProblemDetails> {
    return {
      type: problemType(this.kind),
      title: this.kind.title,
      status: this.kind.status,
      detail: this.message,
      ...(this.kind.error && { error: this.kind.error }),
      ...(this.errors && { errors: [...this.errors] }),
    };
  }
}

/**
 * Refuses a header that Node cannot send, where the header is made: once the answer is on its way, it is too late.
 * @throws TypeError
 */
function refuseUnsendable(name: string, value: string): void {
  validateHeaderName(name);
  validateHeaderValue(name, value);
}

function problemType(kind: ProblemKind): string {
  return `urn:idcard:problem:${kind.slug}`;
}
