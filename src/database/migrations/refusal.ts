import { StartupError } from '../../base/startup-error.ts';

/** Why a database is left as it is: the rest of a sentence that begins with its name. */
export class MigrationRefusal extends Error {}

/** There is no database of idcard, and none is to be made. */
export class MissingDatabase extends Error {}

/** The one sentence for a database that could not be brought up to date. */
export function migrationRefusal(cause: unknown, name: string, advice: string): Error {
  if (cause instanceof MissingDatabase) return cause;
  const reason = cause instanceof MigrationRefusal ? cause.message : `cannot be migrated: ${advice}`;
  return new StartupError(`The database ${name} ${reason}.`, { cause });
}
