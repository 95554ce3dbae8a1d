import type { Kysely, Selectable } from 'kysely';
import type { Database, UserTable } from '../database/schema.ts';

export type UserRow = Selectable<UserTable>;

/** How many rows one insert has: 9,000 parameters, where SQLite takes 32,766 and PostgreSQL 65,535. */
export const PAGE_ROWS = 1000;

/** A row of no user. It fixes the order of the columns. */
const BLANK: UserRow = {
  id: '',
  email: '',
  email_verified: 0,
  password_hash: null,
  roles: '[]',
  status: 'deleted',
  token_version: 0,
  token_version_raised_at: 0,
  created_at: 0,
};
const COLUMNS = Object.keys(BLANK) as (keyof UserRow)[]; // BLANK has no other keys

/** The users as they are stored, deleted ones included, for a move. Every call may throw `unavailable`. */
export interface UserRows {
  count(): Promise<number>;
  /** The next `PAGE_ROWS` rows after the id `afterId`, in the order of the ids. */
  page(afterId: string): Promise<UserRow[]>;
  find(ids: readonly string[]): Promise<UserRow[]>;
  /** The ids of the given rows whose id or email is taken. */
  taken(rows: readonly UserRow[]): Promise<Set<string>>;
  /** Adds, in one transaction, the rows whose id and email are free. @returns the ids of the added rows */
  add(rows: readonly UserRow[]): Promise<Set<string>>;
}

export function createUserRows(db: Kysely<Database>): UserRows {
  const insertionOf = compiledOnceForAPage((count) =>
    db
      .insertInto('idcard_users')
      .values(Array.from({ length: count }, () => BLANK)) // replaced by the values of each query
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .compile(),
  );

  return {
    async count() {
      const { count } = await db
        .selectFrom('idcard_users')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return count;
    },
    page: (afterId) =>
      db
        .selectFrom('idcard_users')
        .select(COLUMNS)
        .where('id', '>', afterId)
        .orderBy('id')
        .limit(PAGE_ROWS)
        .execute(),
    async find(ids) {
      if (ids.length === 0) return [];
      return db.selectFrom('idcard_users').select(COLUMNS).where('id', 'in', ids).execute();
    },
    async taken(rows) {
      if (rows.length === 0) return new Set();
      const known = await db
        .selectFrom('idcard_users')
        .select(['id', 'email'])
        .where(({ eb, or }) =>
          or([eb('id', 'in', valuesOf(rows, 'id')), eb('email', 'in', valuesOf(rows, 'email'))]),
        )
        .execute();
      const [ids, emails] = [new Set(valuesOf(known, 'id')), new Set(valuesOf(known, 'email'))];
      return new Set(rows.filter(({ id, email }) => ids.has(id) || emails.has(email)).map(({ id }) => id));
    },
    async add(rows) {
      if (rows.length === 0) return new Set();
      const query = insertionOf(rows.length);
      const parameters = rows.flatMap((row) => COLUMNS.map((name) => row[name]));
      const added = await db.executeQuery<{ id: string }>({ ...query, parameters });
      return new Set(valuesOf(added.rows, 'id'));
    },
  };
}

export function isSameRow(one: UserRow, other: UserRow | undefined): boolean {
  return COLUMNS.every((name) => one[name] === other?.[name]);
}

/** The compiled insert of so many rows: compiling that of a full page takes longer than running it. */
function compiledOnceForAPage<T>(compile: (count: number) => T): (count: number) => T {
  let ofPage: T | undefined;
  return (count) => {
    if (count !== PAGE_ROWS) return compile(count);
    ofPage ??= compile(count);
    return ofPage;
  };
}

function valuesOf<Name extends 'id' | 'email'>(rows: readonly Pick<UserRow, Name>[], name: Name): string[] {
  return rows.map((row) => row[name]);
}
