import { Client, Connection, Pool, type PoolClient, types } from 'pg';
import { inTime } from '../base/in-time.ts';
import { StandbyError } from './postgres-errors.ts';
import { createLogin } from './postgres-login.ts';
import type { Route } from './postgres-route.ts';

export interface Timeouts {
  /** How long one connection may take, over all hosts together. */
  connectionTimeoutMillis: number;
  statement_timeout?: number;
  query_timeout?: number;
}

interface PostgresConnection extends PoolClient {
  /** When this connection began to be tried. */
  openedAtMs: number;
  /** Asks the server to cancel the query of this connection, and does not wait for a server that does not answer. */
  cancel(): Promise<void>;
}

export interface Connections {
  pool: Pool;
  connect(): Promise<PostgresConnection>;
}

const CANCEL_MS = 200;
/** Gives the host that is tried last its whole share of the time. */
const SLACK_MS = 50;

const INT8 = 20;

/** A pool of connections to the host that takes changes. */
export function createConnections(route: Route, max: number, timeouts: Timeouts): Connections {
  const { connectionTimeoutMillis } = timeouts;
  const hosts = route.server.hosts.length;
  const attemptMs = Math.floor(connectionTimeoutMillis / hosts);
  const pool = new Pool({
    max,
    connectionTimeoutMillis,
    Client: connectionClass(route, timeouts, attemptMs),
  });
  // Without a listener, a connection that is lost between two queries would end the process. The next query reports the loss.
  pool.on('error', () => undefined);

  async function connect(): Promise<PostgresConnection> {
    const lastAttemptMs = performance.now() + connectionTimeoutMillis - attemptMs + SLACK_MS;
    for (let othersLeft = hosts; ; ) {
      try {
        const connection = (await pool.connect()) as PostgresConnection;
        if (connection.openedAtMs >= route.demotedAtMs()) return connection;
        connection.release(true);
      } catch (cause) {
        if (othersLeft === 0 || performance.now() > lastAttemptMs || !route.mayFareBetter(cause)) throw cause;
        othersLeft--;
      }
    }
  }

  return { pool, connect };
}

function connectionClass(route: Route, { statement_timeout, query_timeout }: Timeouts, attemptMs: number) {
  const {
    user,
    database,
    options,
    applicationName,
    channelBinding,
    sslNegotiation,
    keepAlive,
    keepAliveDelayMs,
  } = route.server;

  return class extends Client {
    readonly openedAtMs: number;
    readonly #host: ReturnType<Route['host']>;
    readonly #login: ReturnType<typeof createLogin>;

    constructor() {
      const at = route.host();
      const login = createLogin(route.server);
      super({
        host: at.host,
        port: at.port,
        ssl: at.ssl,
        sslnegotiation: sslNegotiation,
        user,
        password: login.password,
        enableChannelBinding: at.ssl !== false && channelBinding !== 'disable',
        database,
        application_name: applicationName,
        options,
        keepAlive,
        keepAliveInitialDelayMillis: keepAliveDelayMs,
        connectionTimeoutMillis: attemptMs,
        query_timeout,
        ...(route.takesTimeout() && { statement_timeout }),
        // The driver gives a bigint as text. The bigints of our tables are seconds, far below 2^53.
        types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : types.getTypeParser(oid, format)) },
      });
      this.openedAtMs = performance.now();
      this.#host = at;
      this.#login = login;
      login.watch(this.connection);
      this.on('error', () => undefined); // the next query reports the error
    }

    override connect(): Promise<Client>;
    override connect(callback: (error: Error) => void): void;
    override connect(callback?: (error: Error) => void): Promise<Client> | undefined {
      const connected = this.#connect();
      if (!callback) return connected;
      connected.then(() => callback(null as unknown as Error), callback);
      return undefined;
    }

    async #connect(): Promise<Client> {
      try {
        await super.connect();
        this.#login.check();
        const { rows } = await this.query('SHOW transaction_read_only');
        if (rows[0]?.transaction_read_only !== 'off') throw new StandbyError();
        route.succeeded(this.#host);
        return this;
      } catch (error) {
        this.end().catch(() => undefined);
        route.failed(this.#host, error, this.openedAtMs);
        throw error;
      }
    }

    async cancel(): Promise<void> {
      const { host, port, ssl } = this.#host;
      const settings = { ssl, sslNegotiation }; // the client gives this option another name
      const connection = new Connection(settings) as RawConnection;
      // A lost connection may emit two errors, one of TLS and one of the socket below it.
      const done = new Promise((resolve) => connection.once('end', resolve).on('error', resolve));
      // The key to cancel is a secret of this session. Where the session has TLS, the key goes over TLS too.
      const ask = () => connection.cancel(...sessionOf(this));
      connection.once('connect', () => {
        if (!ssl) ask();
        else if (sslNegotiation !== 'direct') connection.requestSsl();
      });
      connection.once('sslconnect', () => connection.stream.once('secureConnect', ask));
      if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
      else connection.connect(port, host);
      await inTime(CANCEL_MS, done).catch(() => undefined);
      connection.stream.destroy();
    }
  };
}

/** Methods of the driver that its types leave out. */
interface RawConnection extends Connection {
  connect(port: number, host: string): void;
  connect(path: string): void;
  requestSsl(): void;
  cancel(processId: number, key: number): void;
}

function sessionOf(client: unknown): [number, number] {
  const { processID, secretKey } = client as { processID: number; secretKey: number };
  return [processID, secretKey];
}
