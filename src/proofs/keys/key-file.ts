import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  fchownSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../../base/error-code.ts';
import { isGivenToGroup, takeBack } from '../../base/private-file.ts';
import { StartupError } from '../../base/startup-error.ts';
import type { PrivateJwkSet } from './key-set.ts';

/**
 * The text of a key file, or undefined when there is none.
 * @throws StartupError when it cannot be read, or others than its owner can read it
 */
export function readKeyFile(path: string): string | undefined {
  try {
    refuseOpenToOthers(path);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof StartupError) throw error;
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new StartupError(
      `The key file ${path} cannot be read (${codeOf(error)}): check its path, its owner and its mode.`,
      { cause: error },
    );
  }
}

function refuseOpenToOthers(path: string): void {
  const stats = statSync(path);
  if (!stats.isFile()) throw new StartupError(`The key file ${path} is no file: name one in KEY_SET_FILE.`);
  const uid = process.getuid?.();
  if (uid === undefined || !isOpenToOthers(stats, uid)) return; // Windows has neither users of this kind nor modes
  if (isGivenToGroup(path, stats) && takeBack(path)) return;
  const command =
    stats.uid === uid
      ? `run "chmod 600 ${path}"`
      : `run "chown ${uid} ${path}" as root, then "chmod 600 ${path}"`;
  throw new StartupError(
    `The key file ${path} can be read by other users: ${command}, or, where its disk cannot do that, put its text into KEY_SET.`,
  );
}

/**
 * Whether others than its owner can read a file. A file of root may be readable by a group, but not writable: so Kubernetes and
 * Docker Swarm hand secrets to a process that is not root.
 */
export function isOpenToOthers({ mode, uid }: { mode: number; uid: number }, processUid?: number): boolean {
  const isHandedOver = uid === 0 && processUid !== 0;
  return (mode & (isHandedOver ? 0o037 : 0o077)) !== 0;
}

/**
 * Writes a first key file and never overwrites one: when another process was faster, the file of that process stands.
 * @returns the text of the file that stands
 */
export function createKeyFile(path: string, keySet: PrivateJwkSet): string {
  return writeDurably(path, keySet, (temporary) => {
    try {
      linkSync(temporary, path);
    } catch (error) {
      // A copy, where the file system has no hard links.
      if (codeOf(error) !== 'EEXIST') copyFileSync(temporary, path, constants.COPYFILE_EXCL);
    } finally {
      unlinkSync(temporary);
    }
    return readFileSync(path, 'utf8');
  });
}

/** Replaces the key file as a whole: a crash leaves the old file or the new one. Its owner stays the same. */
export function replaceKeyFile(path: string, keySet: PrivateJwkSet): void {
  writeDurably(path, keySet, (temporary) => renameSync(temporary, path), statSync(path));
}

/**
 * Writes a first key file for an operator.
 * @throws StartupError when there is a key file already
 */
export function createNewKeyFile(path: string, keySet: PrivateJwkSet): void {
  if (readKeyFile(path) === undefined && createKeyFile(path, keySet) === textOf(keySet)) return;
  throw new StartupError(`There is a key file ${path} already: "idcard keys rotate" adds keys to it.`);
}

function writeDurably<T>(
  path: string,
  keySet: PrivateJwkSet,
  publish: (temporary: string) => T,
  owner?: Stats,
): T {
  // Not the process id, which is 1 in each of two containers on one volume.
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeAndClose(file, textOf(keySet), owner);
      return publish(temporary);
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw cause;
    }
  } catch (cause) {
    const advice =
      codeOf(cause) === 'ENOSPC' ? 'its disk is full, free some space' : 'check that its folder is writable';
    throw new StartupError(`The key file ${path} cannot be written: ${advice}.`, { cause });
  }
}

function textOf(keySet: PrivateJwkSet): string {
  return `${JSON.stringify(keySet, null, 2)}\n`;
}

function writeAndClose(file: number, text: string, owner?: Stats): void {
  try {
    writeFileSync(file, text); // writes everything; one `writeSync` may be cut short
    if (owner) giveTo(owner, file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Gives the new file to the owner of the old one: root may run the command, and another user the server. It goes by the descriptor
 * and not by the path, where that user could have put a link to a file of root.
 */
function giveTo({ uid, gid }: Stats, file: number): void {
  try {
    fchownSync(file, uid, gid);
  } catch {
    // Only root may give a file away. Any other user wrote the file for itself.
  }
}
