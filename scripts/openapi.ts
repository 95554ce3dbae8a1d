/**
 * Writes `openapi.yaml` and `openapi-3.0.yaml` from the routes' schemas, and the client's types; with `--check`, fails when
 * a committed file is another.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config/config.ts';
import { generateKeySet } from '../src/proofs/keys/key-rotation.ts';
import { clientTypes } from './client-types.ts';
import { findProblems } from './problem-kinds.ts';

const DATABASE_URL = 'sqlite::memory:';
const KEY_SET = JSON.stringify(generateKeySet(readConfig({}).keys, 0));
const app = await buildApp(readConfig({ DATABASE_URL, KEY_SET }), { logger: pino({ level: 'silent' }) });
await app.ready();
const { yaml, yaml30 } = await app.openapi();
const slugs = (await findProblems()).map(({ factory }) => factory.kind.slug);

const files = {
  'openapi.yaml': yaml,
  'openapi-3.0.yaml': yaml30,
  'src/client/openapi.ts': await clientTypes(yaml, slugs),
};

for (const [name, text] of Object.entries(files)) {
  const file = new URL(`../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${name} is not what the routes say: run "npm run openapi" and commit it.`);
    process.exitCode = 1;
  }
}
