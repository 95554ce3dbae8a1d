import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, startPostgres } from '../test/support/postgres.ts';
import { atExit } from './at-exit.ts';

export interface Postgres {
  port: number;
  /** Where its tables lie. */
  tables: string;
  /** The `DATABASE_URL` of a new, empty database. */
  createDatabase(): Promise<string>;
  remove(): Promise<void>;
}

/** The PostgreSQL of the tests, but one that waits for the disk as a user's does, and that ends with this process. */
export async function startBenchPostgres(settings: Record<string, string> = {}): Promise<Postgres> {
  const server = await startPostgres({ fsync: 'on', ...settings });
  const forget = atExit(() => {
    process.kill(server.pid, 'SIGQUIT');
    rmSync(server.folder, { recursive: true, force: true, maxRetries: 10 });
  });
  return {
    port: server.port,
    tables: join(server.folder, 'data', 'base'),
    createDatabase: () => createDatabase(server.port),
    async remove() {
      forget();
      await server.remove();
    },
  };
}
