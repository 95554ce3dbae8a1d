import type { User } from '../users/user.ts';

/** The tables, in types that both databases have: text, integer, bigint. */
export interface Database {
  idcard_users: UserTable;
}

/** How a database is opened; each has a default. */
export interface OpenOptions {
  /** How many connections to PostgreSQL at most. */
  poolSize?: number;
  patience?: Patience;
  /** Whether a database that is not there, or has no tables, is made. */
  mayCreate?: boolean;
  /** Told once when a pooler takes no timeout for the statements of PostgreSQL. */
  onPooler?: () => void;
}

/** How long a query may wait: `brief` is for requests, which others wait behind; `patient` for an operator's long work. */
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
  /** Seconds since 1970; 0 when it never was. */
  token_version_raised_at: number;
  created_at: number;
}
