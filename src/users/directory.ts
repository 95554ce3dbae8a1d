import crypto from 'node:crypto'; // as a whole: an older Node.js fails on the import of a name that it lacks, before it can say what it needs
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { codeOf } from '../base/error-code.ts';
import type { Database, UserTable } from '../database/schema.ts';
import { emailTaken } from './problems.ts';
import type { User } from './user.ts';
import type { UserChanges, UserCondition, UserDirectory } from './user-directory.ts';

/** What the row must still say for an operator's change: they look a user up by email, and decide by the roles. */
export type OperatorCondition = UserCondition & Partial<Pick<User, 'email' | 'roles'>>;

/**
 * How long the row of a deleted user is kept, without email and password, so that replicas hear of the deletion. It is longer
 * than an access token can live, which is a day, and the time that replicas look back beyond that.
 */
const KEEP_DELETED_SECONDS = 90_000;

/** The user directory of idcard, with the changes of operators. Nobody changes a deleted user. */
export interface Directory extends UserDirectory {
  update(id: string, changes: UserChanges, condition?: OperatorCondition): Promise<User | undefined>;
  updateAndVoidTokens(
    id: string,
    changes: UserChanges,
    condition?: OperatorCondition,
  ): Promise<User | undefined>;
  /**
   * Gives a user another email, which is not verified, and voids their tokens; undefined when no user has this id and the
   * old email. @throws emailTaken
   */
  setEmail(id: string, from: string, to: string): Promise<User | undefined>;
  /** Deletes a user and voids their tokens; false when no user meets the condition. */
  remove(id: string, condition?: Pick<OperatorCondition, 'email'>): Promise<boolean>;
  /** Users after the one with the id `afterId`, oldest first. */
  list(afterId: string, limit: number): Promise<User[]>;
}

/** The queries, written once for every database. */
export function createDirectory(db: Kysely<Database>, clock: Clock): Directory {
  const users = () => db.selectFrom('idcard_users').selectAll();

  /** Compiled once, since every login and every refresh runs it. */
  function finder(column: 'email' | 'id'): (value: string) => Promise<User | undefined> {
    const query = users().where(column, '=', '').compile();
    return async (value) => {
      const { rows } = await db.executeQuery<Selectable<UserTable>>({ ...query, parameters: [value] });
      return rows[0] && toUser(rows[0]);
    };
  }

  async function change(
    id: string,
    { email, passwordHash, roles, status, emailVerified }: UserChanges & Partial<Pick<User, 'email'>>,
    condition: OperatorCondition,
    voids: 0 | 1,
  ) {
    let query = db
      .updateTable('idcard_users')
      .set((eb) => ({
        token_version: eb('token_version', '+', voids),
        ...(voids && { token_version_raised_at: clock() }),
        ...(email !== undefined && { email }),
        ...(passwordHash !== undefined && { password_hash: passwordHash }),
        ...(roles !== undefined && { roles: JSON.stringify(roles) }),
        ...(status !== undefined && { status }),
        ...(emailVerified !== undefined && { email_verified: emailVerified ? 1 : 0 }),
      }))
      .where('id', '=', id)
      .where('status', '!=', 'deleted');
    if (condition.passwordHash !== undefined)
      query = query.where(
        'password_hash',
        condition.passwordHash === null ? 'is' : '=',
        condition.passwordHash,
      );
    if (condition.email !== undefined) query = query.where('email', '=', condition.email);
    if (condition.roles !== undefined) query = query.where('roles', '=', JSON.stringify(condition.roles));
    if (condition.tokenVersion !== undefined)
      query = query.where('token_version', '=', condition.tokenVersion);
    const row = await query.returningAll().executeTakeFirst();
    return row && toUser(row);
  }

  return {
    findByEmail: finder('email'),
    findById: finder('id'),
    async add({ email, passwordHash, roles }) {
      const row = await db
        .insertInto('idcard_users')
        .values({
          id: crypto.randomUUIDv7(),
          email,
          email_verified: 0,
          password_hash: passwordHash,
          roles: JSON.stringify(roles),
          status: 'active',
          token_version: 1,
          token_version_raised_at: 0,
          created_at: clock(),
        })
        // The unique index decides, not a look before the insert: of two registrations at once, one fails.
        .onConflict((conflict) => conflict.column('email').doNothing())
        .returningAll()
        .executeTakeFirst();
      if (!row) throw emailTaken();
      return toUser(row);
    },
    update: (id, changes, condition = {}) => change(id, changes, condition, 0),
    updateAndVoidTokens: (id, changes, condition = {}) => change(id, changes, condition, 1),
    setEmail: (id, from, to) =>
      change(id, { email: to, emailVerified: false }, { email: from }, 1).catch((error: unknown) => {
        throw isTaken(error) ? emailTaken() : error; // the unique index decides
      }),
    async remove(id, condition = {}) {
      await db
        .deleteFrom('idcard_users')
        .where('status', '=', sql.lit('deleted')) // a literal, so that the planner finds the partial index
        .where('token_version_raised_at', '<', clock() - KEEP_DELETED_SECONDS)
        .execute();
      // The id stands in for the email, which is free again. No email looks like an id.
      const blank = { email: id, passwordHash: null, roles: [], status: 'deleted' } as const;
      return (await change(id, blank, condition, 1)) !== undefined;
    },
    async list(afterId, limit) {
      const rows = await users()
        .where('id', '>', afterId)
        .where('status', '!=', 'deleted')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(toUser);
    },
    async raisedSince(sinceSeconds) {
      const rows = await db
        .selectFrom('idcard_users')
        .select(['id', 'token_version', 'token_version_raised_at'])
        .where('token_version_raised_at', '>=', sinceSeconds)
        .where('token_version_raised_at', '>', sql.lit(0)) // a literal, so that the planner finds the partial index
        .execute();
      return rows.map((row) => ({
        sub: row.id,
        ver: row.token_version,
        raisedAtSeconds: row.token_version_raised_at,
      }));
    },
    close: () => db.destroy(),
  };
}

/** Whether an insert violated the unique index: PostgreSQL's unique_violation (appendix A), SQLITE_CONSTRAINT_UNIQUE. */
function isTaken(error: unknown): boolean {
  return codeOf(error) === '23505' || Object(error).errcode === 2067;
}

function toUser(row: Selectable<UserTable>): User {
  return {
    id: row.id,
    email: row.email,
    emailVerified: row.email_verified === 1,
    passwordHash: row.password_hash,
    roles: JSON.parse(row.roles),
    status: row.status,
    tokenVersion: row.token_version,
    createdAtSeconds: row.created_at,
  };
}
