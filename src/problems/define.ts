import { Problem, type ProblemKind, type ProblemOptions } from './problem.ts';
import { withoutStack } from './without-stack.ts';

/** Makes a problem of one kind. The kind also documents the routes that can answer with it. */
export interface ProblemFactory {
  (options?: ProblemOptions): Problem;
  kind: ProblemKind;
  /** Whether what was thrown is a problem of this kind. */
  is(error: unknown): error is Problem;
}

/** Defines a kind of problem, in the room that throws it. The client reads `detail`, unless the throw gives another. */
export function define(
  status: number,
  slug: string,
  title: string,
  detail: string,
  more?: Pick<ProblemKind, 'challenge' | 'error' | 'event'>,
): ProblemFactory {
  const kind: ProblemKind = {
    slug,
    status,
    title,
    detail,
    ...(status >= 500 && { event: 'request.failed' as const }),
    ...more,
  };
  return Object.assign((options?: ProblemOptions) => withoutStack(() => new Problem(kind, options)), {
    kind,
    is: (error: unknown): error is Problem => error instanceof Problem && error.kind === kind,
  });
}
