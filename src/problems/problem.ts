import { z } from 'zod';

/** One field of the request that is wrong. */
export interface FieldError {
  /** A JSON Pointer in URI fragment form (RFC 6901 §6), such as `#/password`. */
  pointer: string;
  detail: string;
}

/** What a client may learn about a failure: RFC 9457 problem details. */
export const ProblemDetails = z
  .object({
    type: z.string().meta({ format: 'uri', description: 'Names the kind of problem; stable.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z
      .array(
        z
          .object({
            pointer: z.string().meta({ description: 'JSON Pointer to the field, as a URI fragment.' }),
            detail: z.string(),
          })
          .meta({ id: 'FieldError' }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457).' });

export interface ProblemKind {
  /** The last segment of the problem's `type`. */
  slug: string;
  status: number;
  title: string;
  /** Used when the problem is thrown without a detail of its own. */
  detail: string;
  /** The RFC 6750 §3.1 error code of the `WWW-Authenticate` challenge; `null` is a challenge without a code. */
  challenge?: 'invalid_request' | 'invalid_token' | null;
}

export interface ProblemOptions {
  detail?: string;
  errors?: readonly FieldError[];
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
  /** For the log, never for the client. */
  cause?: unknown;
}

/** Thrown by any layer, answered by the error handler. Built only in `catalogue.ts`. */
export class Problem extends Error {
  override name = 'Problem';
  readonly kind: ProblemKind;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Record<string, string>;

  constructor(kind: ProblemKind, options: ProblemOptions = {}) {
    super(options.detail ?? kind.detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.errors = options.errors;
    this.headers = { ...options.headers };
    if (options.retryAfterSeconds !== undefined)
      this.headers['retry-after'] = String(options.retryAfterSeconds);
    if (kind.challenge !== undefined)
      this.headers['www-authenticate'] = challenge(kind.challenge, this.message);
  }

  toJSON(): z.infer<typeof ProblemDetails> {
    return {
      type: problemType(this.kind),
      title: this.kind.title,
      status: this.kind.status,
      detail: this.message,
      ...(this.errors && { errors: [...this.errors] }),
    };
  }
}

function problemType(kind: ProblemKind): string {
  return `urn:idcard:problem:${kind.slug}`;
}

/** RFC 6750 §3: the scheme is followed by at least one parameter. */
function challenge(code: 'invalid_request' | 'invalid_token' | null, description: string): string {
  const realm = 'Bearer realm="idcard"';
  return code === null ? realm : `${realm}, error="${code}", error_description="${description}"`;
}
