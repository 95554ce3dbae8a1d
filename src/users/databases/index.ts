import type { Kysely } from 'kysely';
import { StartupError } from '../../startup-error.ts';
import type { Database } from './schema.ts';
import { openSqlite } from './sqlite.ts';

/** Opens the database of a `DATABASE_URL`. @throws StartupError */
export async function openDatabase(url: string): Promise<Kysely<Database>> {
  if (url.startsWith('sqlite:')) return openSqlite(url.slice('sqlite:'.length));
  throw new StartupError('DATABASE_URL must start with "sqlite:", like sqlite:./data/idcard.sqlite.');
}
