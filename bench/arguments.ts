import { parseArgs } from 'node:util';
import type { Part } from './part.ts';

/** What is wrong with the command line, in a sentence. */
export class UsageError extends Error {}

/**
 * The parts to measure: those that are named, or all that need no naming.
 * @param args without the command itself: `['verify', '--quick']`
 * @throws UsageError
 */
export function readArguments(
  args: string[],
  parts: readonly Part[],
): { quick: boolean; chosen: readonly Part[] } {
  const { values, positionals } = parse(args);
  for (const name of positionals) {
    if (parts.some((part) => part.name === name)) continue;
    const known = parts.map((part) => part.name).join(', ');
    throw new UsageError(`There is no part "${name}": name some of ${known}, or none for all.`);
  }
  const isChosen = ({ name, byNameOnly }: Part) =>
    positionals.length === 0 ? !byNameOnly : positionals.includes(name);
  return { quick: values.quick, chosen: parts.filter(isChosen) };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { quick: { type: 'boolean', default: false } },
    });
  } catch (cause) {
    throw new UsageError('The options are --quick, and the names of parts.', { cause });
  }
}
