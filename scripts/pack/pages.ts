import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const IMAGE = /!\[[^\]]*\]\((?!https?:)[^)]*\)/g;
const LINK = /\[((?:[^[\]]|\[[^\]]*\])*)\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)/g;

const ABOUT_THE_COMMAND = `
> This is the page of the source. In this package, \`npx idcard serve\` stands for \`npm ci && npm start\` and
> \`npx idcard\` for \`npm run -s idcard --\`; Node.js 24 or later is yours to bring. Files that are named here and are not in the
> package are in the source.
`;

/**
 * A page of the checkout as a package has it: links lead to files that are there too, and of others only their text is left.
 * @param path in the checkout
 * @param files what the package has, by the names in the checkout
 */
export function packagePage(text: string, path: string, files: Record<string, string>): string {
  const here = dirname(files[path] ?? '');
  const linked = text.replaceAll(IMAGE, '').replaceAll(LINK, (link, words, target, anchor = '') => {
    if (target === '') return link;
    const file = files[pageOf(join(dirname(path), target))];
    return file === undefined ? words : `[${words}](${relative(here, file)}${anchor})`;
  });
  return path === 'README.md' ? linked.replace('\n', `\n${ABOUT_THE_COMMAND}`) : linked;
}

/** A folder is shown by its README. */
function pageOf(path: string): string {
  const readme = join(path, 'README.md');
  return existsSync(readme) ? readme : path;
}
