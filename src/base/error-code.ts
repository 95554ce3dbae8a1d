/** The code of an error of the system or of a library, such as `ENOENT`; undefined where the error has none. */
export function codeOf(error: unknown): unknown {
  return Object(error).code;
}
