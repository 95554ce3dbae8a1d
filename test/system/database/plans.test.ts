import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { createDirectory, type Directory } from '../../../src/users/directory.ts';
import { START } from '../../support/app.ts';
import { type Listener, listenTo } from '../../support/plans.ts';
import { execute, newDatabase } from '../../support/postgres.ts';

/** So many that PostgreSQL prefers an index to reading them all: most were never voided, some are deleted. */
const SEED = `
  WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
  INSERT INTO idcard_users SELECT CAST(n AS text), n || '@example.com', 0, NULL, '[]',
    CASE WHEN n % 1000 = 0 THEN 'deleted' ELSE 'active' END, 1, CASE WHEN n < 100 THEN ${START} ELSE 0 END, 0
  FROM numbers`;

const databases = {
  async SQLite() {
    const db = await openDatabase('sqlite::memory:');
    for (const statement of [SEED, 'ANALYZE']) await sql.raw(statement).execute(db);
    return db;
  },
  async PostgreSQL() {
    const url = await newDatabase();
    const db = await openDatabase(url);
    await execute(url, SEED, 'ANALYZE idcard_users'); // over a connection that may take its time
    return db;
  },
};

/** How each database says which index it takes. */
const BY = {
  email: /USING INDEX sqlite_autoindex_idcard_users_2 \(email=\?\)|Index Scan using idcard_users_email_key/,
  id: /USING INDEX sqlite_autoindex_idcard_users_1 \(id=\?\)|Index Scan using idcard_users_pkey/,
  laterIds: /USING INDEX sqlite_autoindex_idcard_users_1 \(id>\?\)|Index Scan using idcard_users_pkey/,
  raised: /USING COVERING INDEX idcard_users_raised |Index (?:Only )?Scan (?:using|on) idcard_users_raised /,
  deleted: /USING INDEX idcard_users_deleted |Index Scan (?:using|on) idcard_users_deleted /,
};

interface Query {
  ask(directory: Directory): Promise<unknown>;
  /** The plan of each statement. */
  by: readonly RegExp[];
}

const queries: Record<string, Query> = {
  'a user by email': { ask: ({ findByEmail }) => findByEmail('7@example.com'), by: [BY.email] },
  'a user by id': { ask: ({ findById }) => findById('7'), by: [BY.id] },
  'a user to change': { ask: ({ update }) => update('7', { roles: ['author'] }), by: [BY.id] },
  'a user to change on a condition': {
    ask: ({ updateAndVoidTokens }) =>
      updateAndVoidTokens('7', { status: 'disabled' }, { passwordHash: 'x', tokenVersion: 1 }),
    by: [BY.id],
  },
  'a user to delete, and those deleted long ago': {
    ask: ({ remove }) => remove('8'),
    by: [BY.deleted, BY.id],
  },
  'a page of the list': { ask: ({ list }) => list('5', 10), by: [BY.laterIds] },
  'the versions raised lately': { ask: ({ raisedSince }) => raisedSince(START - 360), by: [BY.raised] },
};

describe.each(Object.entries(databases))('%s finds by an index', (_name, openSeeded) => {
  let listener: Listener;
  beforeAll(async () => {
    listener = listenTo(await openSeeded());
  });
  afterAll(() => listener.db.destroy());

  test.each(Object.entries(queries))('%s', async (_what, { ask, by }) => {
    const directory = createDirectory(listener.db, () => START);
    const plans = await listener.plansOf(() => ask(directory));
    expect(plans).toHaveLength(by.length);
    for (const [index, pattern] of by.entries()) expect(plans[index]).toMatch(pattern);
    expect(plans.join('\n')).not.toMatch(/Seq Scan|SCAN idcard_users/);
  });
});
