import type { Clock } from '../base/clock.ts';
import type { FetchDocument } from './document.ts';
import { issuerUnavailable } from './problems.ts';
import { type PublicKey, readPublicKeys } from './public-keys.ts';
import type { Reachability } from './reachability.ts';

/** The public keys of the issuer, which are fetched again before they get stale. */
export interface IssuerKeys {
  /**
   * The key with this `kid`.
   * @throws KeyNotFetched when the issuer might have it: then call `refresh`, and look once more
   * @throws issuerUnavailable when the issuer was asked just now and did not answer
   */
  verificationKey(kid: string): PublicKey | undefined;
  /** Asks the issuer. Callers at the same time share one request. Never throws: when the issuer is away, the keys stay. */
  refresh(): Promise<void>;
  isDue(): boolean;
  state(): 'current' | 'stale' | 'missing';
}

/** A key that may have been published since the keys were fetched. */
export class KeyNotFetched extends Error {
  override name = 'KeyNotFetched';
}

/** How often an unknown `kid` makes this service ask the issuer: strangers may invent as many as they like. */
const COOLDOWN_SECONDS = 5;
/** How long keys are kept when the issuer does not say it. */
const DEFAULT_MAX_AGE_SECONDS = 300;
const MAX_BYTES = 65_536;

type Dependencies = {
  fetchDocument: FetchDocument;
  clock: Clock;
  staleKeysSeconds: number;
  reachability: Reachability;
  /** Called when the issuer withdrew a key: tokens that it signed must not be accepted from memory. */
  onRemoved: () => void;
};

export function createIssuerKeys(dependencies: Dependencies): IssuerKeys {
  const { fetchDocument, clock, staleKeysSeconds, reachability, onRemoved } = dependencies;
  let keys: ReadonlyMap<string, PublicKey> = new Map();
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let refreshAfterSeconds = 0;
  let underWay: Promise<void> | undefined;

  // The distance, not the age: a clock that is set back must not delay a request.
  const isOver = (since: number, afterSeconds: number) => Math.abs(clock() - since) >= afterSeconds;
  const areRetired = () => isOver(fetchedAt, staleKeysSeconds);

  async function fetchKeys(): Promise<void> {
    const askedAt = clock(); // an answer may be as old as the question (RFC 9111 §4.2.3)
    try {
      const mediaTypes = ['application/json', 'application/jwk-set+json'];
      const document = await fetchDocument({
        path: '/.well-known/jwks.json',
        mediaTypes,
        maxBytes: MAX_BYTES,
      });
      const fetched = readPublicKeys(document?.text ?? '', askedAt + staleKeysSeconds);
      const isGone = [...keys].some(([kid, { pem }]) => fetched.get(kid)?.pem !== pem);
      keys = fetched;
      if (isGone) onRemoved();
      fetchedAt = askedAt;
      refreshAfterSeconds = refreshTime(freshnessOf(document?.headers), staleKeysSeconds);
      reachability.answered();
    } catch (err) {
      reachability.failed(err);
    }
    attemptedAt = clock();
  }

  return {
    verificationKey(kid) {
      const key = keys.get(kid);
      if (key && !areRetired()) return key;
      if (underWay || isOver(attemptedAt, COOLDOWN_SECONDS)) throw new KeyNotFetched();
      // Never 401: the token may be good.
      if (!reachability.isCurrent()) throw issuerUnavailable({ retryAfterSeconds: COOLDOWN_SECONDS });
      return undefined;
    },
    refresh() {
      underWay ??= fetchKeys().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    isDue: () => !reachability.isCurrent() || isOver(fetchedAt, refreshAfterSeconds),
    state() {
      if (areRetired()) return 'missing';
      return reachability.isCurrent() ? 'current' : 'stale';
    },
  };
}

/** A time before the keys get stale, other than that of other services. */
function refreshTime(maxAgeSeconds: number, staleKeysSeconds: number): number {
  return Math.min(maxAgeSeconds, staleKeysSeconds / 2) * (0.75 + Math.random() * 0.2);
}

/** `max-age` (RFC 9111 §5.2.2.1), less the time for which a cache on the way held the answer (§5.1). */
function freshnessOf(headers: Headers | undefined): number {
  const [, seconds] = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(headers?.get('cache-control') ?? '') ?? [];
  const maxAge = seconds === undefined ? DEFAULT_MAX_AGE_SECONDS : Number(seconds);
  const [age = '0'] = /^\d{1,9}$/.exec(headers?.get('age') ?? '') ?? [];
  return Math.max(0, maxAge - Number(age));
}
