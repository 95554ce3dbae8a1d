import type { FastifyBaseLogger } from 'fastify';
import { withoutStack } from '../problems/without-stack.ts';
import type { AccessClaims } from '../proofs/tokens/claims.ts';
import { createAccessVerifier, createOpener } from '../proofs/tokens/verification.ts';
import { createVerifiedTokens } from '../proofs/tokens/verified-tokens.ts';
import { createFetchDocument } from './document.ts';
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts';
import { createIssuerRevocations, type IssuerRevocations } from './issuer-revocations.ts';
import type { ReadOptions } from './options.ts';
import type { PublicKey } from './public-keys.ts';
import { createReachability } from './reachability.ts';

/** What verification needs of an idcard server. */
export interface Issuer {
  /**
   * The frozen claims of a valid access token. No I/O.
   * @throws invalidToken, issuerUnavailable
   * @throws KeyNotFetched when `refreshKeys` may bring the key
   */
  verifyAccess(token: string): AccessClaims;
  refreshKeys(): Promise<void>;
  /** Asks the issuer for the documents that are due. Never throws. */
  ask(): Promise<void>;
  state(): { keys: ReturnType<IssuerKeys['state']>; revocations: ReturnType<IssuerRevocations['state']> };
}

/** How many verified tokens are remembered, at about 1.5 kB each. */
const VERIFIED_TOKENS = 100_000;

/** @param closing aborts requests that are under way */
export function createIssuer(options: ReadOptions, logger: FastifyBaseLogger, closing: AbortSignal): Issuer {
  const { issuer, audience, clock, clockToleranceSeconds } = options;
  const fetchDocument = createFetchDocument(options.fetch, options.internalUrl ?? issuer, closing);
  let verifiedTokens = createVerifiedTokens(VERIFIED_TOKENS);
  const forgetVerified = () => {
    verifiedTokens = createVerifiedTokens(VERIFIED_TOKENS);
  };
  const keys = createIssuerKeys({
    ...options,
    fetchDocument,
    reachability: createReachability('keys', logger, closing),
    onRemoved: forgetVerified,
  });
  const jwt = { verifySignature: (key: PublicKey, token: string) => withoutStack(() => key.verify(token)) };
  const open = createOpener({ keySet: keys, jwt, clock, clockToleranceSeconds });
  const revocations = createIssuerRevocations({
    ...options,
    fetchDocument,
    reachability: createReachability('revocations', logger, closing),
    open,
    keys,
    onShorterLife: forgetVerified,
  });

  return {
    verifyAccess: createAccessVerifier({
      open,
      issuer,
      audience,
      lifetimeSeconds: revocations.lifetimeSeconds,
      clock,
      verifiedTokens: {
        get: (token, nowSeconds) => verifiedTokens.get(token, nowSeconds),
        add: (...entry) => verifiedTokens.add(...entry),
      },
      revocations,
    }),
    refreshKeys: keys.refresh,
    async ask() {
      if (keys.isDue()) await keys.refresh();
      if (keys.state() !== 'missing') await revocations.poll();
    },
    state: () => ({ keys: keys.state(), revocations: revocations.state() }),
  };
}
