import type { FastifyRequest } from 'fastify';
import { Password } from '../factors/passwords/password.ts';
import type { Objection } from '../factors/passwords/policy.ts';
import { weakPassword } from '../factors/passwords/problems.ts';
import { invalidRequest } from '../http/problems.ts';
import { Problem } from '../problems/problem.ts';

/*
 * Forms with a new password, for routes with `attachValidation`. The answer names everything that is wrong at once: what
 * the schema refuses, and what the policy says of the password.
 */

/** The new password of a form, to be judged. @throws what is wrong with the form, when it has no such password */
export function receiveNewPassword({ body, validationError }: FastifyRequest, field: string): string {
  const { success, data } = Password.safeParse(Object(body)[field]);
  if (success) return data;
  throw validationError;
}

/** @throws invalidRequest, weakPassword */
export function refuseForm(
  { validationError }: FastifyRequest,
  field: string,
  objection: Objection | undefined,
): void {
  const errors = objection && [
    { pointer: `#/${field}`, code: objection.code, detail: `${objection.detail}.` },
  ];
  if (validationError && !(validationError instanceof Problem)) throw validationError;
  if (validationError)
    throw invalidRequest({
      detail: validationError.message,
      errors: [...(validationError.errors ?? []), ...(errors ?? [])],
    });
  if (errors) throw weakPassword({ detail: `The new password is refused. ${objection?.detail}.`, errors });
}
