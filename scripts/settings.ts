/** Writes `docs/settings.md` from the settings; with `--check`, fails when the committed file is another. */
import { readFileSync, writeFileSync } from 'node:fs';
import { settingsPage } from './settings/page.ts';

const file = new URL('../docs/settings.md', import.meta.url);
if (!process.argv.includes('--check')) {
  writeFileSync(file, settingsPage());
} else if (readFileSync(file, 'utf8') !== settingsPage()) {
  console.error(
    'docs/settings.md is not what the settings say: run "node scripts/settings.ts" and commit it.',
  );
  process.exitCode = 1;
}
