import { expect } from 'vitest';
import { StartupError } from '../../src/base/startup-error.ts';

/** The one sentence with which it is refused. */
export async function refusal(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StartupError)) throw new Error('It was not refused.', { cause: error });
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error.message;
}
