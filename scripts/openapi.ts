/**
 * Writes `openapi.yaml` and `openapi-3.0.yaml` from the routes' schemas, and the client's types; with `--check`, fails when
 * a committed file is another.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { buildApp } from '../src/app.ts';
import { openAttemptLimits } from '../src/attempts/open-limits.ts';
import { systemClock } from '../src/base/clock.ts';
import { readConfig } from '../src/config/config.ts';
import { openDatabase } from '../src/database/index.ts';
import { createEvents } from '../src/events/events.ts';
import { createHasher } from '../src/factors/passwords/hasher.ts';
import { generateKeySet } from '../src/proofs/keys/key-rotation.ts';
import { createKeySet } from '../src/proofs/keys/key-set.ts';
import { createDirectory } from '../src/users/directory.ts';
import { clientTypes } from './client-types.ts';

const config = readConfig({ DATABASE_URL: 'sqlite::memory:' });
const app = await buildApp({
  config,
  keySet: createKeySet(JSON.stringify(generateKeySet(config, 0)), config.algorithm, systemClock),
  directory: createDirectory(await openDatabase(config.databaseUrl), systemClock),
  hasher: createHasher(config.argon2),
  clock: systemClock,
  logger: pino({ level: 'silent' }),
  lifecycle: { stopping: false },
  attemptLimits: await openAttemptLimits(config, createEvents()),
});
await app.ready();
const { yaml, yaml30 } = await app.openapi();

const files = {
  'openapi.yaml': yaml,
  'openapi-3.0.yaml': yaml30,
  'src/client/openapi.ts': await clientTypes(yaml),
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
