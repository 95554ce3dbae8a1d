import { resolve } from 'node:path';
import type { Kysely } from 'kysely';
import { StartupError } from '../base/startup-error.ts';
import { MissingDatabase } from './migrations/refusal.ts';
import type { Database, OpenOptions } from './schema.ts';
import { openSqlite } from './sqlite.ts';

const DEFAULTS: Required<OpenOptions> = {
  poolSize: 10,
  patience: 'brief',
  mayCreate: true,
  onPooler: () => undefined,
};

/**
 * Opens the database of a `DATABASE_URL`.
 * @throws StartupError
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<Kysely<Database>> {
  try {
    return await open(url, { ...DEFAULTS, ...options });
  } catch (error) {
    if (!(error instanceof MissingDatabase)) throw error;
    throw new StartupError(
      `There is no database of idcard at ${databaseName(url)}: start the server first, or set DATA_DIR or DATABASE_URL to the server's.`,
    );
  }
}

async function open(url: string, options: Required<OpenOptions>): Promise<Kysely<Database>> {
  if (url.startsWith('sqlite:')) return openSqlite(url.slice('sqlite:'.length), options);
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    const { openPostgres } = await import('./postgres.ts'); // loaded only where PostgreSQL is used
    return openPostgres(url, options);
  }
  throw new StartupError(
    'DATABASE_URL must start with "sqlite:", like sqlite:./data/idcard.sqlite, or with "postgres://".',
  );
}

/** What an operator may see of a `DATABASE_URL`: where the database is, and no password. */
export function databaseName(url: string): string {
  if (url === 'sqlite::memory:') return url;
  if (url.startsWith('sqlite:')) return `sqlite:${resolve(url.slice('sqlite:'.length))}`;
  const [, place = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(url) ?? [];
  const where = query.split('&').filter((part) => /^(?:host|port|dbname|options)=[^@]*$/.test(part)); // others may hold a password
  return place.replace(/^(\w+:\/\/).*@/s, '$1') + (where.length > 0 ? `?${where.join('&')}` : '');
}
