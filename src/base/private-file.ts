import { chmodSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/* Files that nobody but their owner may read: keys, and the database with its password hashes. */

/**
 * Whether a file of this process was opened to a group by a volume with an fsGroup: at each mount Kubernetes gives every file
 * to that group, and sets the setgid bit of every folder. The group is that of the pod.
 */
export function isGivenToGroup(path: string, { mode, uid, gid }: Stats): boolean {
  const folder = statSync(dirname(path));
  const isOfVolume = (folder.mode & 0o2000) !== 0 && folder.gid === gid;
  return uid === process.getuid?.() && isOfVolume && (mode & 0o007) === 0;
}

/** Makes a file readable by its owner alone; false where that cannot be, as in a volume that knows no modes. */
export function takeBack(path: string): boolean {
  try {
    chmodSync(path, 0o600);
  } catch {
    return false; // another's, or in a volume that may only be read
  }
  return (statSync(path).mode & 0o077) === 0;
}
