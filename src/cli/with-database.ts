import type { Kysely } from 'kysely';
import { StartupError } from '../startup-error.ts';
import { openDatabase } from '../users/databases/index.ts';
import type { Database } from '../users/databases/schema.ts';

/** Opens the configured database, which has to be there, for one command that may take long. */
export function withDatabase<T>(url: string, action: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  return closing(openDatabase(url, 1, 'patient', { mayCreate: false }), action);
}

/**
 * Opens a database that the command itself names, and makes it when there is none.
 * @param option what its URL is called when it is refused
 */
export function withTarget<T>(
  url: string,
  option: string,
  action: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  const opening = openDatabase(url, 1, 'patient').catch((error: unknown) => {
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
