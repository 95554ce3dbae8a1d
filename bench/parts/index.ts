import type { Part } from '../part.ts';
import { directory } from './directory.ts';
import { flood } from './flood.ts';
import { growth } from './growth.ts';
import { login } from './login.ts';
import { refresh } from './refresh.ts';
import { revocation } from './revocation.ts';
import { start } from './start.ts';
import { tokens } from './tokens.ts';
import { verify } from './verify.ts';

/** In the order of the report. */
export const PARTS: readonly Part[] = [
  verify,
  tokens,
  login,
  refresh,
  flood,
  revocation,
  start,
  growth,
  directory,
];
