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
 * Whether others than its owner can read a file. One that root owns may be read by a group, and is by no means writable:
 * so Kubernetes and Docker Swarm hand secrets to a process that is not root.
 */
export function isOpenToOthers({ mode, uid }: { mode: number; uid: number }, processUid?: number): boolean {
  const isHandedOver = uid === 0 && processUid !== 0;
  return (mode & (isHandedOver ? 0o037 : 0o077)) !== 0;
}

/**
 * Writes a first key file and never overwrites one: when another process was faster, its file stands.
 * @returns the text of the file that stands
 */
export function createKeyFile(path: string, keySet: PrivateJwkSet): string {
  return writeDurably(path, keySet, (temporary) => {
    try {
      linkSync(temporary, path);
    } catch (error) {
      // Not every file system has hard links.
      if (codeOf(error) !== 'EEXIST') copyFileSync(temporary, path, constants.COPYFILE_EXCL);
    } finally {
      unlinkSync(temporary);
    }
    return readFileSync(path, 'utf8');
  });
}

/** Replaces the key file as a whole: a crash leaves either the old one or the new one, which its owner can read. */
export function replaceKeyFile(path: string, keySet: PrivateJwkSet): void {
  writeDurably(path, keySet, (temporary) => renameSync(temporary, path), statSync(path));
}

/**
 * The same for an operator, who wants to know that it is a new one.
 * @throws StartupError when there is one
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
  // Not the process id: in two containers on one volume it is 1 in both.
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
    writeFileSync(file, text); // all of it, where one write may be cut short
    if (owner) giveTo(owner, file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * The command may be run by root, and the server as another user. By the descriptor: that user may write to the folder, and could
 * have put a link to a file of root's in the place of a path.
 */
function giveTo({ uid, gid }: Stats, file: number): void {
  try {
    fchownSync(file, uid, gid);
  } catch {
    // Nobody but root may; whoever else wrote it is who reads it.
  }
}
