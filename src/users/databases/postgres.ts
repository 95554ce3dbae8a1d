import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, sql } from 'kysely';
import { Pool, type PoolConfig, types } from 'pg';
import { unavailable } from '../../problems/catalogue.ts';
import { StartupError } from '../../startup-error.ts';
import { migrate, migrationRefusal } from '../migrations/index.ts';
import { isTrouble, refusalOf } from './postgres-errors.ts';
import { type PostgresServer, parsePostgresUrl } from './postgres-url.ts';
import type { Database, Patience } from './schema.ts';

/** How long an operator waits for the first connection. */
const STARTUP_TIMEOUT_MS = 5000;

/**
 * A request waits for a connection, then for its query: together less than the 2 s within which 503 is promised. The
 * server gives up first, so that nothing is changed after the client was told that nothing was, and no change becomes
 * visible later than the polls look back; a server that is stopped gives nothing up, hence the timeout on this side.
 */
const TIMEOUTS = {
  brief: { connectionTimeoutMillis: 700, statement_timeout: 800, query_timeout: 1000 },
  patient: {
    connectionTimeoutMillis: STARTUP_TIMEOUT_MS,
    statement_timeout: 60_000,
    query_timeout: 65_000,
  },
};

const INT8 = 20;

/**
 * Connects to the PostgreSQL database of a `postgres://` URL and migrates it.
 * @throws StartupError
 */
export async function openPostgres(
  url: string,
  poolSize: number,
  patience: Patience,
  mayCreate: boolean,
): Promise<Kysely<Database>> {
  const server = parsePostgresUrl(url);
  await prepare(server, mayCreate);
  const pool = createPool(server, { max: poolSize, keepAlive: true, ...TIMEOUTS[patience] });
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool: failingAsUnavailable(pool) }) });
}

/** Checks and migrates, over a connection of its own, since a migration may take its time. */
async function prepare(server: PostgresServer, mayCreate: boolean): Promise<void> {
  const pool = createPool(server, { max: 1, connectionTimeoutMillis: STARTUP_TIMEOUT_MS });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await refuseOtherEncodings(db).catch((cause: unknown) => {
      throw cause instanceof StartupError ? cause : refusalOf(cause, server);
    });
    await migrate(db, mayCreate);
  } catch (cause) {
    if (cause instanceof StartupError) throw cause;
    throw migrationRefusal(
      cause,
      server.database,
      "check that it is idcard's and that its user may create tables",
    );
  } finally {
    await db.destroy();
  }
}

/** In another encoding there would be emails that cannot be stored. */
async function refuseOtherEncodings(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ server_encoding: string }>`SHOW server_encoding`.execute(db);
  const encoding = rows[0]?.server_encoding;
  if (encoding === 'UTF8') return;
  throw new StartupError(`The database has the encoding ${encoding}: create it with ENCODING 'UTF8'.`);
}

function createPool(server: PostgresServer, options: PoolConfig): Pool {
  const pool = new Pool({
    ...server,
    ...options,
    application_name: 'idcard',
    // A bigint comes as text; ours are seconds, far below 2^53.
    types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : types.getTypeParser(oid, format)) },
  });
  // A connection that is lost between two queries would end the process. The next query says it, or another connection.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** The pool, with trouble as the problem `unavailable`; a connection that saw some is not used again. */
function failingAsUnavailable(pool: Pool): PostgresPool {
  const trouble = (cause: unknown) => unavailable({ cause, retryAfterSeconds: 2 });
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((cause: unknown) => {
        throw trouble(cause);
      });
      let isBroken = false;
      const query = async (text: string, parameters: readonly unknown[]) => {
        try {
          return await client.query(text, [...parameters]);
        } catch (cause) {
          if (!isTrouble(cause)) throw cause;
          isBroken = true;
          throw trouble(cause);
        }
      };
      return {
        query: query as unknown as PostgresPoolClient['query'], // no cursor is configured, so none is passed
        release: () => client.release(isBroken),
      };
    },
  };
}
