import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';
import { createUsers } from './2026-11-23-users.ts';
import { indexDeletedUsers } from './2026-11-25-deleted-users.ts';
import { coverRaisedVersions } from './2026-11-25-raised-versions.ts';
import { MigrationRefusal, MissingDatabase } from './refusal.ts';
import { FIRST_MIGRATION, hasFormerTables, type Place, TAKEN_OVER } from './tables.ts';

/** The migrations, in the order of their names. A released name never changes. */
export const migrations = {
  [FIRST_MIGRATION]: createUsers,
  '2026-11-25-deleted-users': indexDeletedUsers,
  '2026-11-25-raised-versions': coverRaisedVersions,
};

/** What SQLite and PostgreSQL do differently. */
export interface Engine {
  /** The schemas in which a table is looked for, in that order. New tables come into the first one. */
  look(db: Kysely<Database>): Promise<Place[]>;
  /** Gives the former tables the names of today. */
  takeOver(db: Kysely<Database>): Promise<void>;
}

/**
 * Brings the tables up to date.
 * @param db a transaction during which nobody else migrates, so that everything happens or nothing
 * @param mayCreate whether it makes the first tables
 * @throws MigrationRefusal, MissingDatabase
 */
export async function migrate(db: Kysely<Database>, engine: Engine, mayCreate: boolean): Promise<void> {
  await prepare(db, engine, mayCreate);
  const made = await namesIn(db, 'idcard_migrations');
  refuseLater(made);
  for (const [name, up] of Object.entries(migrations)) {
    if (made.has(name)) continue;
    await up(db);
    await record(db, name);
  }
}

/** Finds or makes the table of migrations, and touches no table of an application in the same database. */
async function prepare(db: Kysely<Database>, { look, takeOver }: Engine, mayCreate: boolean): Promise<void> {
  const [here, ...behind] = await look(db);
  const isFormer = await hasFormerTables(db, here);
  if (here?.relations.has('idcard_migrations')) {
    if (isFormer) throw new MigrationRefusal(TWICE);
    if (!here.relations.get('idcard_migrations')?.has('name')) throw notOurs('idcard_migrations');
    return;
  }
  if (here?.relations.has('idcard_users')) throw notOurs('idcard_users');
  if (isFormer) {
    refuseLater(await namesIn(db, 'kysely_migration'));
    await takeOver(db);
    return record(db, TAKEN_OVER);
  }
  for (const place of behind) {
    const isOurs = place.relations.has('idcard_migrations') || (await hasFormerTables(db, place));
    if (isOurs) throw behindAnother(place, here);
  }
  if (!mayCreate) throw new MissingDatabase();
  return createMigrations(db);
}

const TWICE =
  'has the tables of two versions of idcard, idcard_users and the former users: drop those that hold nothing, with their idcard_migrations or kysely_migration and kysely_migration_lock';

function notOurs(table: string): MigrationRefusal {
  return new MigrationRefusal(
    `has something named ${table} that is not idcard's, or that it may not read: give idcard a schema or a database of its own`,
  );
}

function behindAnother(place: Place, here: Place | undefined): MigrationRefusal {
  return new MigrationRefusal(
    `has the tables of idcard in the schema ${place.schema}, but new ones would come into ${here?.schema}, which is before it in the search_path: name one alone`,
  );
}

/** @throws MigrationRefusal for a migration that this version does not know */
function refuseLater(made: Set<string>): void {
  if (made.size > 0 && !made.has(FIRST_MIGRATION)) throw notOurs('idcard_migrations');
  for (const name of made) {
    if (!(name in migrations) && name !== TAKEN_OVER)
      throw new MigrationRefusal('was migrated by a later version of idcard: start that one');
  }
}

async function namesIn(db: Kysely<Database>, table: string): Promise<Set<string>> {
  const { rows } = await sql<{ name: string }>`SELECT name FROM ${sql.table(table)}`.execute(db);
  return new Set(rows.map(({ name }) => name));
}

async function createMigrations(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('idcard_migrations')
    .addColumn('name', 'varchar(255)', (column) => column.notNull().primaryKey())
    .addColumn('timestamp', 'varchar(255)', (column) => column.notNull())
    .execute();
}

async function record(db: Kysely<Database>, name: string): Promise<void> {
  await sql`INSERT INTO idcard_migrations (name, timestamp) VALUES (${name}, ${new Date().toISOString()})`.execute(
    db,
  );
}
