/** Writes `docs/problems.md`; with `--check`, fails when the committed one is another. */
import { readFileSync, writeFileSync } from 'node:fs';
import { problemPage } from './problem-page.ts';

const FILE = 'docs/problems.md';
const text = await problemPage();
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, text);
} else if (readFileSync(FILE, 'utf8') !== text) {
  console.error(`${FILE} is not what the source says: run "npm run openapi" and commit it.`);
  process.exitCode = 1;
}
