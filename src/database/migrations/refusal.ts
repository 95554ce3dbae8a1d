import { StartupError } from '../../base/startup-error.ts';

/** Why a database is not migrated. The message is the rest of a sentence that begins with the name of the database. */
export class MigrationRefusal extends Error {}

/** There is no database of idcard, and this process may not make one. */
export class MissingDatabase extends Error {}

/** The sentence for a database that could not be migrated. */
export function migrationRefusal(cause: unknown, name: string, advice: string): Error {
  if (cause instanceof MissingDatabase) return cause;
  const reason = cause instanceof MigrationRefusal ? cause.message : `cannot be migrated: ${advice}`;
  return new StartupError(`The database ${name} ${reason}.`, { cause });
}
