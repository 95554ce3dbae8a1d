import { chmodSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/* Files that nobody but their owner may read: keys, and the database with its password hashes. */

/**
 * Whether Kubernetes opened a file of this process to the group of its pod. In a volume with an fsGroup it gives every file to
 * that group at each mount, and sets the setgid bit of every folder.
 */
export function isGivenToGroup(path: string, { mode, uid, gid }: Stats): boolean {
  const folder = statSync(dirname(path));
  const isOfVolume = (folder.mode & 0o2000) !== 0 && folder.gid === gid;
  return uid === process.getuid?.() && isOfVolume && (mode & 0o007) === 0;
}

/** Makes a file readable by its owner alone; false where that fails, as in a volume that knows no modes. */
export function takeBack(path: string): boolean {
  try {
    chmodSync(path, 0o600);
  } catch {
    return false; // the file is another user's, or the volume is read-only
  }
  return (statSync(path).mode & 0o077) === 0;
}
