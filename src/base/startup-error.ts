/** A reason not to start that the operator can mend: one sentence, shown without a stack. */
export class StartupError extends Error {
  override name = 'StartupError';
}
