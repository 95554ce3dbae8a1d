/** Users whose token version was raised so lately that an access token of an older version may still be unexpired. */
export interface Revocations {
  /** Whether a token of this user and version is void. Called for every verification; reads memory only. */
  isRevoked(token: { sub: string; ver: number }): boolean;
  /** Adds raised versions. One below the known version changes nothing; the same version may be kept for longer. */
  add(raised: readonly Revocation[]): void;
  /** Forgets the users whose void tokens have all expired. */
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

/** Holds the users revoked within `keepSeconds`. The void tokens of others have expired. */
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
        if (known && known.ver > revocation.ver) continue;
        // Clocks differ: a token that is refused already must be refused for as long as before.
        const raisedAtSeconds = Math.max(revocation.raisedAtSeconds, known?.raisedAtSeconds ?? 0);
        bySub.set(revocation.sub, { ...revocation, raisedAtSeconds });
        if (known?.ver !== revocation.ver) revision++;
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
