import type { FieldError, Problem, ProblemSlug } from './openapi.ts';
import { refuseRedirect } from './redirect.ts';

/** An answer that is no success, with the members of its problem document (RFC 9457). */
export class ProblemError extends Error implements Problem {
  override name = 'ProblemError';
  // `declare`, since the constructor sets the fields: else the compiled code would have each twice.
  /** Stable, such as `urn:idcard:problem:invalid-credentials`; `about:blank` when the answer is no problem document. */
  declare readonly type: string;
  /** The end of `type`, to tell problems apart by; undefined when the answer is no such document. */
  declare readonly slug: ProblemSlug | undefined;
  declare readonly title: string;
  declare readonly status: number;
  declare readonly detail: string;
  declare readonly errors: FieldError[];
  /** How long to wait before the next attempt, if the answer says it. */
  declare readonly retryAfterSeconds: number | undefined;
  /** The id of the request in the log of the server. */
  declare readonly requestId: string | undefined;

  constructor({ status, headers }: Response, problem: Partial<Problem>) {
    super(problem.detail ?? `The answer was ${status}.`);
    this.type = problem.type ?? 'about:blank';
    // A later server may know others, which no program asks for.
    this.slug = this.type.split('urn:idcard:problem:')[1] as ProblemSlug | undefined;
    this.title = problem.title ?? '';
    this.status = status;
    this.detail = this.message;
    this.errors = problem.errors ?? [];
    this.retryAfterSeconds = Number(headers.get('retry-after')) || undefined;
    this.requestId = headers.get('x-request-id') ?? undefined;
  }
}

/** @throws ProblemError unless the answer is a success; TypeError for a redirect */
export async function checked(answer: Response | Promise<Response>): Promise<Response> {
  const response = refuseRedirect(await answer);
  if (response.ok) return response;
  const problem = await response.json().catch(() => undefined); // a proxy may have answered
  throw new ProblemError(response, Object(problem));
}
