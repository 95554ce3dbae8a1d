import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, sql } from 'kysely';
import { quoted } from '../base/log-text.ts';
import { StartupError } from '../base/startup-error.ts';
import { unavailable } from '../problems/general.ts';
import { Problem } from '../problems/problem.ts';
import { migratePostgres } from './migrations/postgres.ts';
import { migrationRefusal } from './migrations/refusal.ts';
import { type Connections, createConnections } from './postgres-connection.ts';
import { isDemotion, isGivenUp, isTrouble, sqlState } from './postgres-errors.ts';
import { createRoute, type Route } from './postgres-route.ts';
import { parsePostgresUrl } from './postgres-url.ts';
import type { Database, OpenOptions } from './schema.ts';

/** How long an operator waits for the first connection, unless connect_timeout says otherwise. */
const STARTUP_TIMEOUT_MS = 5000;

/**
 * A request waits for a connection, then for its query, then for the query to be cancelled: together less than the 2 s within
 * which 503 is promised. The server gives up first. So nothing changes after a client was told that nothing did, and no change
 * becomes visible later than the polls look back. The driver has a timeout too, for a server that hangs and for a pooler that
 * does not pass the server's timeout on.
 */
const TIMEOUTS = {
  brief: { connectionTimeoutMillis: 700, statement_timeout: 800, query_timeout: 900 },
  patient: {
    connectionTimeoutMillis: STARTUP_TIMEOUT_MS,
    statement_timeout: 60_000,
    query_timeout: 65_000,
  },
};

/**
 * Connects to the PostgreSQL database of a `postgres://` URL and migrates it.
 * @throws StartupError
 */
export async function openPostgres(
  url: string,
  { poolSize, patience, mayCreate, onPooler }: Required<OpenOptions>,
): Promise<Kysely<Database>> {
  const server = parsePostgresUrl(url);
  const route = createRoute(server, onPooler);
  const startMs = server.startTimeoutMs ?? STARTUP_TIMEOUT_MS;
  await prepare(route, startMs, mayCreate);
  const connections = createConnections(route, poolSize, TIMEOUTS[patience]);
  const db = kyselyOf(connections, route);
  try {
    await tryWhatServes(connections, performance.now() + startMs);
  } catch (cause) {
    await db.destroy();
    throw route.refusal(cause);
  }
  return db;
}

/** Checks and migrates the database, over a connection without timeouts for queries: a migration may take long. */
async function prepare(route: Route, connectionTimeoutMillis: number, mayCreate: boolean): Promise<void> {
  const connections = createConnections(route, 1, { connectionTimeoutMillis });
  const { database } = route.server;
  const db = kyselyOf(connections, route);
  try {
    await refuseOtherEncodings(db);
    await migratePostgres(db, mayCreate);
  } catch (cause) {
    if (cause instanceof StartupError) throw cause;
    if (cause instanceof Problem) throw route.refusal(cause.cause);
    const said = sqlState(cause) ? ` (the server says ${quoted((cause as Error).message)})` : '';
    throw migrationRefusal(
      cause,
      database,
      `check that it is idcard's and that its user may create tables${said}`,
    );
  } finally {
    await db.destroy();
  }
}

/**
 * Opens a connection as requests use it, so that no start succeeds whose requests all fail. The connection stays in the pool.
 * After the connection of the migration has ended, a server may need a moment to accept this one.
 */
async function tryWhatServes({ connect }: Connections, untilMs: number): Promise<void> {
  for (;;) {
    try {
      const connection = await connect();
      return connection.release();
    } catch (cause) {
      if (performance.now() > untilMs) throw cause;
      await sleep(100);
    }
  }
}

/** Only UTF-8 can store every email. */
async function refuseOtherEncodings(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ server_encoding: string }>`SHOW server_encoding`.execute(db);
  const encoding = rows[0]?.server_encoding;
  if (encoding === 'UTF8') return;
  throw new StartupError(`The database has the encoding ${encoding}: create it with ENCODING 'UTF8'.`);
}

/** Kysely on the pool. Trouble is the problem `unavailable`, and closes its connection. */
function kyselyOf({ pool, connect }: Connections, route: Route): Kysely<Database> {
  const trouble = (cause: unknown) => unavailable({ cause, retryAfterSeconds: 2 });
  const failing: PostgresPool = {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const connection = await connect().catch((cause: unknown) => {
        throw trouble(cause);
      });
      let brokenBy: Problem | undefined;
      const query = async (text: string, parameters: readonly unknown[]) => {
        try {
          return await connection.query(text, [...parameters]);
        } catch (cause) {
          if (!isTrouble(cause)) throw cause;
          brokenBy ??= trouble(cause); // the first trouble, and not the ROLLBACK that fails after it
          if (isGivenUp(cause)) await connection.cancel();
          if (isDemotion(cause)) route.demoted();
          throw brokenBy;
        }
      };
      return {
        query: query as unknown as PostgresPoolClient['query'], // no cursor is configured, so none is passed
        release: () => connection.release(brokenBy !== undefined),
      };
    },
  };
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool: failing }) });
}
