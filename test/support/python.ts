import { spawnSync } from 'node:child_process';

/** Where Debian's Python is, which knows Debian's packages. */
export const PYTHON = '/usr/bin/python3';

/** Whether PyJWT is there. A build machine must have it: without it, what needs it is a failure there. */
export function isPyJwtHere(): boolean {
  return Boolean(process.env.CI) || spawnSync(PYTHON, ['-c', 'import jwt, cryptography']).status === 0;
}
