import { hkdfSync } from 'node:crypto';

/** The keys whose secrets others are derived from: those of a key set, or one that is made for it. */
export interface SecretKeys {
  keys: readonly { kid: string; material: unknown }[];
  signingKey(kind: 'refresh'): { kid: string };
  verificationKey(kid: string): unknown;
}

/** A secret for one purpose from each refresh secret: every replica has the same ones, and they retire with their key. */
export interface DerivedSecrets {
  /** @throws Error for a key of another key set: without a secret, anybody could make what it protects */
  of(kid: string): Buffer;
  /** The names of the keys that are not retired. */
  accepted(): string[];
  readonly size: number;
}

/** @param purpose sets the secrets apart from all others (RFC 5869) */
export function deriveSecrets(keySet: SecretKeys, purpose: string): DerivedSecrets {
  const secrets = new Map(
    keySet.keys.flatMap(({ kid, material }) =>
      Buffer.isBuffer(material) ? [[kid, Buffer.from(hkdfSync('sha256', material, '', purpose, 32))]] : [],
    ),
  );
  return {
    of(kid) {
      const secret = secrets.get(kid);
      if (!secret) throw new Error('A key of another key set.');
      return secret;
    },
    accepted: () => [...secrets.keys()].filter((kid) => keySet.verificationKey(kid)),
    size: secrets.size,
  };
}
