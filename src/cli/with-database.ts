import { existsSync } from 'node:fs';
import type { Kysely } from 'kysely';
import { StartupError } from '../startup-error.ts';
import { openDatabase } from '../users/databases/index.ts';
import type { Database } from '../users/databases/schema.ts';

/**
 * Opens a database for one command that may take long.
 * @param name what its URL is called when it is refused
 */
export async function withDatabase<T>(
  url: string,
  action: (db: Kysely<Database>) => Promise<T>,
  name = 'DATABASE_URL',
): Promise<T> {
  const db = await openDatabase(url, 1, 'patient').catch((error: unknown) => {
    if (error instanceof StartupError) error.message = error.message.replaceAll('DATABASE_URL', name);
    throw error;
  });
  try {
    return await action(db);
  } finally {
    await db.destroy();
  }
}

/** A typing error must not become an empty directory that was exported or moved with success. */
export function refuseMissing(url: string): void {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined;
  if (path !== undefined && !existsSync(path))
    throw new StartupError(`There is no database ${path}: check DATABASE_URL and DATA_DIR.`);
}
