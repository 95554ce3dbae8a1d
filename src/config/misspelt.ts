import { distance } from '../base/edit-distance.ts';
import { VARIABLES } from './settings.ts';

/** Up to how many letters a name is another, mistyped. Of short ones, such as PORT, others have too many that look alike. */
const LETTERS = [
  { from: 15, letters: 3 },
  { from: 9, letters: 2 },
  { from: 6, letters: 1 },
];

/**
 * Variables that are no setting and nearly spelt like one that is not set: nobody would notice that it is not heeded. Told and not
 * refused, since the environment is everybody's.
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
  // Hardly anybody mistypes the first letter and another, so that most need no closer look.
  if (typed[0] === setting[0]) return distance(typed, setting) <= letters;
  return typed.endsWith(setting.slice(2)) && distance(typed, setting) <= 1;
}
