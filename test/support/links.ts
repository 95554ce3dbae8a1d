import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Link {
  file: string;
  target: string;
  anchor: string | undefined;
}

/** The links of pages in Markdown to what is beside them. */
export function linksOf(files: readonly string[]): Link[] {
  return files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(
      ([, path = '', anchor]) => ({
        file,
        target: path === '' ? file : pageOf(join(dirname(file), path)),
        anchor,
      }),
    ),
  );
}

export function isDead({ target, anchor }: Link): boolean {
  return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
}

/** The anchors of a file's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** A folder is shown by its README. */
function pageOf(path: string): string {
  const readme = join(path, 'README.md');
  return existsSync(readme) ? readme : path;
}
