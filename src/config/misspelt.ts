import { distance } from '../base/edit-distance.ts';
import { VARIABLES } from './settings.ts';

/**
 * How many letters of a name may be mistyped, by its length. Short names such as PORT have none: too many variables of
 * other programs look like them.
 */
const LETTERS = [
  { from: 15, letters: 3 },
  { from: 9, letters: 2 },
  { from: 6, letters: 1 },
];

/**
 * Finds variables that are no setting, but are spelt nearly like a setting that is not set. Else nobody would notice that
 * they are not heeded. They are told and not refused, since the environment is for other programs too.
 * @param names of variables that are set
 */
export function misspeltSettings(names: readonly string[]): string[] {
  const unset = [...VARIABLES].filter((setting) => !names.includes(setting));
  return names
    .filter((name) => !VARIABLES.has(name))
    .flatMap((name) => {
      const meant = unset.find((setting) => isMistyped(name, setting));
      return meant ? [`${name} is not a setting of idcard; did you mean ${meant}?`] : [];
    });
}

function isMistyped(name: string, setting: string): boolean {
  const typed = name.toUpperCase();
  const letters = LETTERS.find(({ from }) => setting.length >= from)?.letters ?? 0;
  if (letters === 0 || Math.abs(typed.length - setting.length) > letters) return false;
  // Hardly anybody mistypes both the first letter and another, so most names need no closer look.
  if (typed[0] === setting[0]) return distance(typed, setting) <= letters;
  return typed.endsWith(setting.slice(2)) && distance(typed, setting) <= 1;
}
