/** Users whose token version was raised so lately that an access token of an older version may still be unexpired. */
export interface Revocations {
  /** Whether a token of this user and version is void. A look into memory, on every verification. */
  isRevoked(token: { sub: string; ver: number }): boolean;
  /** Adds what was raised; an older version than the one known changes nothing. */
  add(raised: readonly Revocation[]): void;
  /** Forgets the users all of whose older tokens have expired by now. */
  prune(nowSeconds: number): void;
  list(): IterableIterator<Revocation>;
  readonly size: number;
  /** Grows with every change of the list. */
  readonly revision: number;
}

export interface Revocation {
  sub: string;
  /** Tokens of an older version are void. */
  ver: number;
  raisedAtSeconds: number;
}

/**
 * Bounded by the users revoked within `keepSeconds`: no longer than an access token lives, since what the entry
 * would refuse after that has expired by itself.
 */
export function createRevocations(keepSeconds: number): Revocations {
  const bySub = new Map<string, Revocation>();
  let revision = 0;

  return {
    isRevoked({ sub, ver }) {
      if (bySub.size === 0) return false;
      const revocation = bySub.get(sub);
      return revocation !== undefined && ver < revocation.ver;
    },
    add(raised) {
      for (const revocation of raised) {
        const known = bySub.get(revocation.sub);
        if (known && known.ver >= revocation.ver) continue;
        bySub.set(revocation.sub, revocation);
        revision++;
      }
    },
    prune(nowSeconds) {
      for (const { sub, raisedAtSeconds } of bySub.values()) {
        if (nowSeconds < raisedAtSeconds + keepSeconds) continue;
        bySub.delete(sub);
        revision++;
      }
    },
    list: () => bySub.values(),
    get size() {
      return bySub.size;
    },
    get revision() {
      return revision;
    },
  };
}
