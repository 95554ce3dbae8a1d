/** Ctrl-C at a prompt. Nothing is printed, since the operator did it. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}
