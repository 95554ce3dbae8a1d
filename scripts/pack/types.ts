import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How a declaration names another one. */
const IMPORT = /(\b(?:from|import)\s*\(?\s*)(['"])([^'"\s]+)\2/g;

/** Writes the declarations of all packages into a folder. */
export function emitTypes(folder: string): void {
  execFileSync(process.execPath, [
    'node_modules/typescript/bin/tsc',
    ...['-p', 'tsconfig.package.json', '--outDir', folder],
  ]);
}

/**
 * Copies the declarations of a module and of what it imports. They name one another as the compiled files are called, so
 * that compilers find them that know no import of `.ts`.
 * @returns the packages that they import
 */
export function copyTypes(
  source: string,
  from: string,
  to: string,
  copied = new Set<string>(),
): readonly string[] {
  if (copied.has(source)) return [];
  copied.add(source);
  const declarations = source.replace(/\.ts$/, '.d.ts');
  const text = readFileSync(join(from, declarations), 'utf8');
  mkdirSync(dirname(join(to, declarations)), { recursive: true });
  writeFileSync(
    join(to, declarations),
    text.replaceAll(IMPORT, (whole, before, quote, path) =>
      path.startsWith('.') ? `${before}${quote}${path.replace(/\.ts$/, '.js')}${quote}` : whole,
    ),
  );
  return [...text.matchAll(IMPORT)].flatMap(([, , , path = '']) =>
    path.startsWith('.') ? copyTypes(join(dirname(source), path), from, to, copied) : path,
  );
}
