import { globSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { ProblemFactory } from '../src/problems/define.ts';

/** A kind of problem, and where it is defined. */
export interface DefinedProblem {
  /** The name of the export; one that answers in two ways is an object of both. */
  name: string;
  file: string;
  factory: ProblemFactory;
}

const IMPORTS_DEFINE = /^import \{[^}]*\bdefine\b[^}]*\} from '[./a-z-]*\/define\.ts';$/m;

/** Every kind of problem that a module of `src/` exports. */
export async function findProblems(): Promise<DefinedProblem[]> {
  const found: DefinedProblem[] = [];
  for (const file of filesWithProblems()) {
    const module: Record<string, unknown> = await import(pathToFileURL(file).href);
    for (const [name, value] of Object.entries(module)) {
      for (const factory of [value, ...Object.values(Object(value))])
        if (isFactory(factory)) found.push({ name, file, factory });
    }
  }
  return found;
}

/** The modules that define problems. */
export function filesWithProblems(): string[] {
  const sources = globSync('src/**/*.ts').sort();
  return sources.filter((file) => IMPORTS_DEFINE.test(readFileSync(file, 'utf8')));
}

function isFactory(value: unknown): value is ProblemFactory {
  return typeof value === 'function' && 'kind' in value && 'is' in value;
}
