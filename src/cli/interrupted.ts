/** Ctrl-C at a prompt: the operator knows, so nothing is said. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}
