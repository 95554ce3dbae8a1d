import type { Clock } from '../base/clock.ts';
import { sha256 } from '../base/digest.ts';
import { revocationsAudience } from '../base/issuer.ts';
import { createRevocations } from '../proofs/revocations/revocations.ts';
import { type AccessClaims, RevocationClaims } from '../proofs/tokens/claims.ts';
import type { createOpener } from '../proofs/tokens/verification.ts';
import type { FetchDocument } from './document.ts';
import { type IssuerKeys, KeyNotFetched } from './issuer-keys.ts';
import type { PublicKey } from './public-keys.ts';
import type { Reachability } from './reachability.ts';

/** The revocations of the issuer. */
export interface IssuerRevocations {
  isRevoked(claims: Pick<AccessClaims, 'sub' | 'ver' | 'iat'>): boolean;
  /** How long the issuer's access tokens live at most; undefined until the issuer tells it. */
  lifetimeSeconds(): number | undefined;
  /** Asks the issuer once. Never throws: when the issuer is away, known revocations stay. */
  poll(): Promise<void>;
  state(): 'current' | 'stale';
}

/** The issuer keeps its list below this size. */
const MAX_BYTES = 4_194_304;
/**
 * The issuer signs an unchanged list again every 10 s, and an answer takes 3 s at most. So an older list comes from a cache, which
 * hides newer revocations. The tolerance for clocks is added.
 */
const MAX_LIST_AGE_SECONDS = 15;
/** For lists of the version before, which signed an unchanged list again every 30 s. */
const MAX_FORMER_LIST_AGE_SECONDS = 60;

type Dependencies = {
  fetchDocument: FetchDocument;
  open: ReturnType<typeof createOpener<PublicKey>>;
  keys: IssuerKeys;
  issuer: string;
  audience: string;
  clock: Clock;
  clockToleranceSeconds: number;
  reachability: Reachability;
  /** Called when access tokens live shorter from now on: verified tokens are remembered for too long. */
  onShorterLife: () => void;
};

/**
 * Every list adds to the known revocations and removes none. Token versions only rise, so an older list, or the list of a replica
 * that is behind, is harmless. An entry is dropped when the last list that has it expires, which is the life of an access token
 * after that list was signed.
 */
export function createIssuerRevocations(dependencies: Dependencies): IssuerRevocations {
  const { fetchDocument, keys, issuer, audience, clock, clockToleranceSeconds, reachability, onShorterLife } =
    dependencies;
  const revocations = createRevocations(clockToleranceSeconds);
  const ownAudience = revocationsAudience(issuer);
  const expected = {
    kind: 'revocations',
    issuer,
    audience: [ownAudience, audience], // lists of the version before have the audience of access tokens
    claims: RevocationClaims,
    maxLength: MAX_BYTES,
  } as const;
  let lifetimeSeconds: number | undefined;
  let etag: string | undefined;
  let polledAt = Number.NEGATIVE_INFINITY;
  let aliveUntil = Number.NEGATIVE_INFINITY;
  let notBefore = Number.NEGATIVE_INFINITY;

  async function fetchList(): Promise<void> {
    const list = await fetchDocument({
      path: '/.well-known/revocations',
      mediaTypes: ['application/jwt'],
      maxBytes: MAX_BYTES,
      etag,
    });
    if (list !== undefined) {
      const claims = await open(list.text);
      const entries = Object.entries(claims.revocations);
      revocations.add(entries.map(([sub, ver]) => ({ sub, ver, raisedAtSeconds: claims.exp })));
      etag = list.headers.get('etag') ?? undefined;
      notBefore = Math.max(notBefore, claims.not_before ?? notBefore);
      aliveUntil = claims.iat + maxAgeSeconds(claims);
      // Not from an old list, which may tell a longer lifetime of former settings: tokens whose revocation is forgotten would work.
      if (clock() <= aliveUntil) learnLifetime(claims.access_token_ttl);
    }
    if (clock() > aliveUntil) {
      etag = undefined;
      throw new Error('The list of revocations is an old one.');
    }
  }

  function maxAgeSeconds({ aud }: RevocationClaims): number {
    const isFormer = ![aud].flat().includes(ownAudience);
    return isFormer ? MAX_FORMER_LIST_AGE_SECONDS : MAX_LIST_AGE_SECONDS + clockToleranceSeconds;
  }

  /** During a restart replicas may tell different lifetimes, and a replica of an older version tells none. */
  function learnLifetime(seconds = lifetimeSeconds): void {
    const before = lifetimeSeconds ?? Number.POSITIVE_INFINITY;
    lifetimeSeconds = seconds;
    if (seconds !== undefined && seconds < before) onShorterLife();
  }

  /** A list that is signed with an unknown key tells within seconds that a key was revoked: the keys are fetched again. */
  async function open(list: string): Promise<RevocationClaims> {
    try {
      return dependencies.open(list, expected).claims;
    } catch (error) {
      if (!(error instanceof KeyNotFetched)) throw error;
      await keys.refresh();
      return dependencies.open(list, expected).claims;
    }
  }

  return {
    isRevoked: ({ sub, ver, iat }) =>
      iat <= notBefore || (revocations.size > 0 && revocations.isRevoked({ sub: sha256(sub), ver })),
    lifetimeSeconds: () => lifetimeSeconds,
    async poll() {
      const now = clock();
      const before = polledAt;
      polledAt = now;
      // While the clock was ahead, entries that matter now were dropped. So even an unchanged list is needed.
      if (now < before) etag = undefined;
      try {
        await fetchList();
        revocations.prune(Math.min(now, before)); // a clock that is ahead for one poll drops no entry
        reachability.answered();
      } catch (err) {
        reachability.failed(err); // from now on a revocation takes as long as an access token lives
      }
    },
    state: () => (reachability.isCurrent() ? 'current' : 'stale'),
  };
}
