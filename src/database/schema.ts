import type { User } from '../users/user.ts';

/** The tables, with the types that both databases have: text, integer, bigint. */
export interface Database {
  idcard_users: UserTable;
}

/** How a database is opened; each has a default. */
export interface OpenOptions {
  /** How many connections to PostgreSQL at most. */
  poolSize?: number;
  patience?: Patience;
  /** Whether to make a database that is not there, or the tables of an empty one. */
  mayCreate?: boolean;
  /** Called once when a pooler refuses `statement_timeout`. */
  onPooler?: () => void;
}

/** How long a query may wait: `brief` for requests, behind which others wait; `patient` for an operator's long work. */
export type Patience = 'brief' | 'patient';

export interface UserTable {
  id: string;
  email: string;
  /** 0 or 1 */
  email_verified: number;
  password_hash: string | null;
  /** A JSON array of texts. */
  roles: string;
  status: User['status'];
  token_version: number;
  /** Seconds since 1970; 0 when the version was never raised. */
  token_version_raised_at: number;
  created_at: number;
}
