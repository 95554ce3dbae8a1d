import { CompiledQuery, type Kysely, PostgresAdapter } from 'kysely';
import type { Database } from '../../src/database/schema.ts';

export interface Listener {
  /** The database, whose queries are heard. */
  db: Kysely<Database>;
  /** How the database finds what is asked for: the plan of each query that ran. */
  plansOf(ask: () => Promise<unknown>): Promise<string[]>;
}

/** Hears the queries themselves, so that what is explained is what ran. */
export function listenTo(silent: Kysely<Database>): Listener {
  let heard: CompiledQuery[] = [];
  const executor = silent.getExecutor();
  const explain = executor.adapter instanceof PostgresAdapter ? 'EXPLAIN' : 'EXPLAIN QUERY PLAN';

  const db = silent.withPlugin({
    transformQuery({ node, queryId }) {
      heard.push(executor.compileQuery(node, queryId));
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  db.executeQuery = (query) => {
    heard.push(query as CompiledQuery); // one that was compiled before
    return silent.executeQuery(query);
  };

  async function planOf({ sql, parameters }: CompiledQuery): Promise<string> {
    const query = CompiledQuery.raw(`${explain} ${sql}`, [...parameters]);
    const { rows } = await silent.executeQuery<{ detail?: string; 'QUERY PLAN'?: string }>(query);
    return rows.map((row) => row.detail ?? row['QUERY PLAN']).join('\n');
  }

  return {
    db,
    async plansOf(ask) {
      heard = [];
      await ask();
      return Promise.all(heard.map(planOf));
    },
  };
}
