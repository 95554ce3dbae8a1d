import { rmSync } from 'node:fs';
import { ADA } from '../../support/app.ts';
import { balancerConfig } from '../../support/balancer.ts';
import { startNginx } from '../../support/nginx.ts';
import { createDatabase, type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { findFreePort, type ServerProcess, startServer, temporaryFolder } from '../../support/process.ts';
import { ask } from '../../support/workers.ts';

export interface System {
  /** Of the balancer. */
  url: string;
  /** What each replica is started with, besides its port. */
  settings: Record<string, string>;
  database: PostgresServer;
  /** Straight to the database, whatever stands between it and the replicas. */
  databaseUrl: string;
  replica(index: number): ServerProcess;
  /** What the balancer wrote to its error log so far. */
  balancerErrors(): string;
  /** Of a replica, past the balancer. */
  addressOf(index: number): string;
  /** Starts it again, on its port, after it was stopped. */
  start(index: number): Promise<void>;
  /** Ends everything and removes its files. */
  remove(): Promise<void>;
}

interface SystemOptions {
  env?: Record<string, string>;
  /** The port by which the replicas reach the database, given its own. */
  reachDatabase?: (port: number) => Promise<number>;
}

/** Two replicas with one key set on one PostgreSQL, behind nginx with the configuration that users are given. */
export async function startSystem({ env, reachDatabase }: SystemOptions = {}): Promise<System> {
  const folder = temporaryFolder();
  const [port, ...ports] = [await findFreePort(), await findFreePort(), await findFreePort()] as const;
  const url = `http://127.0.0.1:${port}`;
  const database = await startPostgres();
  const databaseUrl = await createDatabase(database.port);
  const reached = (await reachDatabase?.(database.port)) ?? database.port;
  const settings = {
    DATA_DIR: folder,
    DATABASE_URL: databaseUrl.replace(`:${database.port}/`, `:${reached}/`),
    PUBLIC_URL: url,
    TRUSTED_PROXIES: '127.0.0.1',
    RATE_LIMITS: 'off',
    ...env,
  };
  const startReplica = (index: number) => startServer({ ...settings, PORT: String(ports[index]) });
  const replicas = [await startReplica(0), await startReplica(1)];
  const nginx = await startNginx(balancerConfig({ port, replicas: ports }), port);
  await ask(`${url}/v1/register`, { body: ADA });

  function replica(index: number): ServerProcess {
    const found = replicas[index];
    if (!found) throw new Error(`There is no replica ${index}.`);
    return found;
  }
  return {
    url,
    settings,
    database,
    databaseUrl,
    replica,
    balancerErrors: nginx.errors,
    addressOf: (index) => `http://127.0.0.1:${ports[index]}`,
    async start(index) {
      replicas[index] = await startReplica(index);
    },
    async remove() {
      await nginx.stop();
      await Promise.all(replicas.map(({ stop }) => stop('SIGKILL')));
      await database.remove();
      rmSync(folder, { recursive: true });
    },
  };
}
