import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a processor must be able to do for a level (x86-64 psABI §3.1.1), in the words of /proc/cpuinfo; best first. */
const LEVELS = {
  'x86-64-v4': ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl', 'avx2', 'bmi2', 'fma'],
  'x86-64-v3': ['avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe'],
};

/**
 * The folder of the best argon2 that `npm run build:argon2` made and this processor can run; undefined when there is
 * none, and the one for every processor serves.
 * @param {string} builds the folder of all of them
 * @param {string} cpuInfo the text of /proc/cpuinfo
 * @returns {string | undefined}
 */
export function findArgon2Build(
  builds = fileURLToPath(new URL('../argon2-builds/', import.meta.url)),
  cpuInfo = fs.existsSync(builds) ? fs.readFileSync('/proc/cpuinfo', 'utf8') : '',
) {
  const [, flags = ''] = /^flags\s*:(.*)$/m.exec(cpuInfo) ?? [];
  const has = new Set(flags.split(' '));
  const level = Object.keys(LEVELS).find(
    (name) => LEVELS[name].every((flag) => has.has(flag)) && fs.existsSync(builds + name),
  );
  return level && builds + level;
}
