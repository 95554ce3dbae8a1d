import type { Kysely } from 'kysely';
import { StartupError } from '../base/startup-error.ts';
import { openDatabase } from '../database/index.ts';
import type { Database, OpenOptions } from '../database/schema.ts';

/** One connection is enough for a command, which may take long. */
const ALONE: OpenOptions = { poolSize: 1, patience: 'patient' };

/** Opens the configured database for one command, and makes none. */
export function withDatabase<T>(url: string, action: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  return closing(openDatabase(url, { ...ALONE, mayCreate: false }), action);
}

/**
 * Opens a database that an option of the command names, and makes the database when there is none.
 * @param option the name of the option, for a refusal
 */
export function withTarget<T>(
  url: string,
  option: string,
  action: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  const opening = openDatabase(url, ALONE).catch((error: unknown) => {
    if (error instanceof StartupError) error.message = error.message.replaceAll('DATABASE_URL', option);
    throw error;
  });
  return closing(opening, action);
}

async function closing<T>(
  opening: Promise<Kysely<Database>>,
  action: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  const db = await opening;
  try {
    return await action(db);
  } finally {
    await db.destroy();
  }
}
