import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { printable } from '../../base/log-text.ts';
import { Problem } from '../../problems/problem.ts';
import { sqlState } from '../postgres-errors.ts';
import type { Database } from '../schema.ts';
import { type Engine, migrate } from './index.ts';
import { MigrationRefusal } from './refusal.ts';
import { FIRST_MIGRATION, NAMES, type Place } from './tables.ts';

/** The key of the advisory lock that a migrating process holds: "idcard" in ASCII. */
const LOCK = 0x69_64_63_61_72_64;
/** The advisory lock of Kysely's migrator, under which the version before migrates. */
const KYSELYS_LOCK = sql.lit(3_853_314_791_062_309_107n);

/** How long one attempt waits for another process that migrates. This wait blocks nobody. */
const LONGEST_WAIT_FOR_ANOTHER = '5s';
/**
 * How long one attempt waits for a table that a long query reads. This wait blocks every other query of the table, so it is no
 * longer than a request waits for its query.
 */
const LONGEST_WAIT_FOR_A_TABLE = '500ms';
const PAUSE_MS = 1000;

const LOCK_NOT_AVAILABLE = '55P03';
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Brings the tables up to date in one transaction. It needs nothing of the session: a pooler may give each transaction another.
 * @param mayCreate whether it makes the first tables
 * @throws MigrationRefusal, MissingDatabase, and the problem `unavailable` for trouble with the server
 */
export async function migratePostgres(
  db: Kysely<Database>,
  mayCreate: boolean,
  attempts = 20,
): Promise<void> {
  for (let attemptsLeft = attempts; ; attemptsLeft--) {
    try {
      // Whatever the server's default is: a process that waited for another one must read what the other did.
      const transaction = db.transaction().setIsolationLevel('read committed');
      return await transaction.execute(async (alone) => {
        await patience(LONGEST_WAIT_FOR_ANOTHER).execute(alone);
        await sql`SELECT pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(alone);
        await patience(LONGEST_WAIT_FOR_A_TABLE).execute(alone);
        await migrate(alone, postgresEngine, mayCreate);
      });
    } catch (error) {
      const cause = error instanceof Problem ? error.cause : error;
      const code = sqlState(cause);
      if (code === INSUFFICIENT_PRIVILEGE) throw new MigrationRefusal(notAllowed(cause), { cause });
      if (code !== LOCK_NOT_AVAILABLE) throw error;
      if (attemptsLeft <= 1) throw new MigrationRefusal(LOCKED, { cause });
    }
    await sleep(PAUSE_MS);
  }
}

const LOCKED =
  'cannot be migrated, since another transaction holds its tables: see pg_stat_activity, wait for that one or end it, and start again';

function notAllowed(cause: unknown): string {
  const message = printable(cause instanceof Error ? cause.message : '');
  return `cannot be migrated, since its user may not (${message}): let the owner of its tables start idcard once, or make this user their owner, with CREATE on their schema`;
}

/** Sets the timeouts of this transaction, whatever the server's own settings are. */
function patience(wait: string) {
  return sql`SELECT set_config('lock_timeout', ${wait}, true), set_config('statement_timeout', '0', true)`;
}

const postgresEngine: Engine = {
  async look(db) {
    const { rows } = await sql<{ schema: string; name: string | null; columns: string[] }>`
      SELECT path.schema, relation.relname AS name,
        CASE WHEN relation.relkind IN ('r', 'p') AND has_table_privilege(relation.oid, 'SELECT') THEN ARRAY(
          SELECT attname::text FROM pg_attribute WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
        ) ELSE '{}' END AS columns
      FROM unnest(current_schemas(false)) WITH ORDINALITY AS path(schema, place)
      JOIN pg_namespace ON nspname = path.schema
      LEFT JOIN pg_class AS relation ON relnamespace = pg_namespace.oid AND relname IN (${sql.join(NAMES)})
      ORDER BY path.place`.execute(db);
    const places = new Map<string, Place>();
    for (const { schema, name, columns } of rows) {
      const place = places.get(schema) ?? { schema, relations: new Map() };
      places.set(schema, place);
      if (name !== null) place.relations.set(name, new Set(columns));
    }
    return [...places.values()];
  },

  async takeOver(db) {
    // A replica of the version before that starts now waits for this lock, and then reads the views below.
    await sql`SELECT pg_advisory_xact_lock(${KYSELYS_LOCK})`.execute(db);
    const { rows } = await FOLLOWING.execute(db);
    const following = rows.map(({ statement }) => statement);
    // In one query, since every request waits meanwhile.
    await sql.raw([...RENAMES, ...VIEWS, ...following].join(';\n')).execute(db);
  },
};

const RENAMES = [
  'ALTER TABLE users RENAME TO idcard_users',
  'ALTER TABLE kysely_migration RENAME TO idcard_migrations',
  'DROP TABLE IF EXISTS kysely_migration_lock',
];

/**
 * Views under the former names. Through them replicas of the version before serve on, start again, and could take over again.
 * The next version drops these views where `TAKEN_OVER` is recorded and they still are ours (`pg_depend`): an operator may have
 * dropped one before, and an application may have taken its name.
 */
const VIEWS = [
  'CREATE VIEW users AS SELECT * FROM idcard_users',
  "COMMENT ON VIEW users IS 'For replicas of the version of idcard before; the next version drops it.'",
  `CREATE VIEW kysely_migration AS SELECT name, timestamp FROM idcard_migrations
     WHERE name IN ('${FIRST_MIGRATION}', '2026-11-25-deleted-users', '2026-11-25-raised-versions')`,
  "CREATE VIEW kysely_migration_lock AS SELECT 'migration_lock'::varchar(255) AS id, 0 AS is_locked",
];

/** Statements that give the new names to constraints and indexes, and the former rights and owner to the views. */
const FOLLOWING = sql<{ statement: string }>`
  WITH former(oid, name, new_name) AS (
    SELECT to_regclass(quote_ident(name))::oid, name, new_name
    FROM (VALUES ('users', 'idcard_users'), ('kysely_migration', 'idcard_migrations'), ('kysely_migration_lock', NULL))
      AS names(name, new_name)
  )
  SELECT format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', new_name, conname, new_name || substr(conname, length(name) + 1))
    AS statement
  FROM former JOIN pg_constraint ON conrelid = former.oid
  WHERE conname ~ ('^' || name || '_(pkey|email_key|[a-z_]+_not_null)$') AND new_name IS NOT NULL
  UNION ALL
  SELECT format('ALTER INDEX %I RENAME TO %I', relname, 'idcard_' || relname)
  FROM former JOIN pg_index ON indrelid = former.oid JOIN pg_class ON pg_class.oid = indexrelid
  WHERE relname IN ('users_token_version_raised_at', 'users_deleted', 'users_raised')
  UNION ALL
  SELECT format('GRANT %s ON %I TO %s', privilege_type, name,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
  FROM former JOIN pg_class ON pg_class.oid = former.oid, aclexplode(relacl)
  WHERE privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
  UNION ALL
  SELECT format('GRANT %s (%I) ON %I TO %s', privilege_type, attname, name,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
  FROM former JOIN pg_attribute ON attrelid = former.oid, aclexplode(attacl)
  WHERE privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
  UNION ALL
  SELECT format('ALTER VIEW %I OWNER TO %I', name, pg_get_userbyid(relowner))
  FROM former JOIN pg_class ON pg_class.oid = former.oid WHERE pg_get_userbyid(relowner) <> current_user`;
