import { codeOf } from '../base/error-code.ts';
import { unavailable } from '../problems/general.ts';
import { Problem } from '../problems/problem.ts';

/** Result codes: sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
/** IOERR_SHMSIZE: the disk has no room for the index of the WAL. */
const NO_ROOM_FOR_INDEX = 4874;
/** The codes of trouble with the file and not with the query. */
const TROUBLE = new Set([BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB]);

export function failingAsUnavailable<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const code = resultCode(cause);
    if (code !== undefined && TROUBLE.has(code)) throw unavailable({ cause, retryAfterSeconds: 2 });
    throw cause;
  }
}

/** The advice for an error at the start, where there is one. */
export function adviceOn(error: unknown): string | undefined {
  if (error instanceof Problem) return adviceOn(error.cause);
  if (isFull(error)) return 'its disk is full, free some space';
  if (codeOf(error) === 'EISDIR') return 'it is a folder, name a file';
  switch (resultCode(error)) {
    case BUSY:
      return 'another program holds it, end that';
    case READONLY:
      return 'this user may only read it, or its folder';
    case CORRUPT:
      return 'it is damaged, restore it from a backup';
    case NOTADB:
      return 'it is no SQLite database, or was overwritten: name another, or restore it from a backup';
    default:
      return undefined;
  }
}

function isFull(error: unknown): boolean {
  const { errcode } = Object(error);
  return errcode === FULL || errcode === NO_ROOM_FOR_INDEX || codeOf(error) === 'ENOSPC';
}

/** Whether another process holds the file. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === BUSY;
}

/** The primary result code, without the bits of the extended one. */
function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}
