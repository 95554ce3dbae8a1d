import { hkdfSync } from 'node:crypto';

/** Keys from whose secrets others are derived: those of a key set, or a key made for this purpose. */
export interface SecretKeys {
  keys: readonly { kid: string; material: unknown }[];
  signingKey(kind: 'refresh'): { kid: string };
  verificationKey(kid: string): unknown;
}

/** One secret for a purpose from each refresh secret. Every replica derives the same secrets, and each retires with its key. */
export interface DerivedSecrets {
  /** The secret of a key. @throws Error for a key of another key set */
  of(kid: string): Buffer;
  /** The `kid` of each key that is not retired. */
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
