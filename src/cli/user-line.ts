import { z } from 'zod';
import { quoted } from '../base/log-text.ts';
import type { Config } from '../config/config.ts';
import { objectionTo } from '../factors/passwords/hasher.ts';
import { spellingsOf } from '../users/email.ts';
import type { UserRow } from '../users/rows.ts';
import { MAX_ROLES, Role } from '../users/user.ts';

const Seconds = z.int().min(0).max(253_402_300_799); // 9999-12-31T23:59:59Z; a time in milliseconds is above this

/** A whole user, as one line of an export. Times are seconds since 1970. */
const UserLine = z
  .strictObject({
    id: z.uuid().lowercase(),
    email: z.string(),
    email_verified: z.boolean(),
    password_hash: z.string().nullable(),
    roles: z.array(Role).max(MAX_ROLES),
    status: z.enum(['active', 'disabled', 'deleted']),
    token_version: z.int().min(1).max(2_000_000_000), // fits into 32 bits, with room to be raised
    token_version_raised_at: Seconds,
    created_at: Seconds,
  })
  // An older spelling stays as it is, so that an old export can be imported.
  .refine(
    ({ id, email, status }) => (status === 'deleted' ? email === id : spellingsOf(email).includes(email)),
    { path: ['email'] },
  )
  // The row of a deleted user only tells that their tokens are void.
  .refine((user) => user.status !== 'deleted' || user.password_hash === null, { path: ['password_hash'] })
  .refine((user) => user.status !== 'deleted' || user.roles.length === 0, { path: ['roles'] });

const SECONDS = 'a whole number of seconds since 1970';
const MUST_BE: Record<keyof z.infer<typeof UserLine>, string> = {
  id: 'a UUID in lower case',
  email: 'an email address in the spelling that idcard stores, or the id of a deleted user',
  email_verified: 'true or false',
  password_hash: 'null, as for deleted users, or an argon2id hash',
  roles: `an array of ${MAX_ROLES} roles at most, and of none for deleted users`,
  status: '"active", "disabled" or "deleted"',
  token_version: 'a whole number from 1 to 2000000000',
  token_version_raised_at: SECONDS,
  created_at: SECONDS,
};

/**
 * The user of a line, or what is wrong with the line. No value is repeated, since it may be a secret.
 * @param argon2 the cost of hashes here, which limits the cost of an imported one
 */
export function parseUserLine(text: string, argon2: Config['passwords']['argon2']): UserRow | string {
  const { success, data, error } = UserLine.safeParse(parseJson(text));
  if (success) {
    const objection = data.password_hash === null ? undefined : objectionTo(data.password_hash, argon2);
    if (objection) return `password_hash ${objection}`;
    return { ...data, email_verified: data.email_verified ? 1 : 0, roles: JSON.stringify(data.roles) };
  }
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys')
    return `has a field that idcard does not know, ${quoted(issue.keys[0]?.slice(0, 64))}`;
  const field = issue?.path[0];
  if (!isField(field)) return 'is not a JSON object';
  return `${field} must be ${MUST_BE[field]}`;
}

export function formatUserLine(row: UserRow): string {
  const line: z.infer<typeof UserLine> = {
    ...row,
    email_verified: row.email_verified === 1,
    roles: JSON.parse(row.roles),
  };
  return `${JSON.stringify(line)}\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isField(name: unknown): name is keyof typeof MUST_BE {
  return typeof name === 'string' && Object.hasOwn(MUST_BE, name);
}
