import type { Kysely } from 'kysely';
import { StartupError } from '../../startup-error.ts';
import type { Database, Patience } from './schema.ts';
import { openSqlite } from './sqlite.ts';

/**
 * Opens the database of a `DATABASE_URL`.
 * @param poolSize how many connections to PostgreSQL at most
 * @param onPooler told once when a pooler takes no timeout for the statements of PostgreSQL
 * @throws StartupError
 */
export async function openDatabase(
  url: string,
  poolSize = 10,
  patience: Patience = 'brief',
  onPooler: () => void = () => undefined,
): Promise<Kysely<Database>> {
  if (url.startsWith('sqlite:')) return openSqlite(url.slice('sqlite:'.length), patience);
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    const { openPostgres } = await import('./postgres.ts'); // its driver is for those who use it
    return openPostgres(url, poolSize, patience, onPooler);
  }
  throw new StartupError(
    'DATABASE_URL must start with "sqlite:", like sqlite:./data/idcard.sqlite, or with "postgres://".',
  );
}
