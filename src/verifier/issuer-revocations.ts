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

/** What the issuer says was revoked. */
export interface IssuerRevocations {
  isRevoked(claims: Pick<AccessClaims, 'sub' | 'ver' | 'iat'>): boolean;
  /** For how long its access tokens are good at most; undefined until it says so. */
  lifetimeSeconds(): number | undefined;
  /** Asks the issuer once. Never throws: when it is away, what is known stays. */
  poll(): Promise<void>;
  state(): 'current' | 'stale';
}

/** The issuer lists no more than fit. */
const MAX_BYTES = 4_194_304;
/**
 * The issuer signs an unchanged list again every 10 s, and an answer takes 3 s at most: an older list comes from a cache that
 * hides what is new. Clocks may differ by the tolerance on top of it.
 */
const MAX_LIST_AGE_SECONDS = 15;
/** The version before signed again every 30 s. */
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
  /** Called when access tokens live less long from now on: what is remembered is remembered for too long. */
  onShorterLife: () => void;
};

/**
 * Every list is added to what is known, and takes nothing away: token versions only rise, so an older list, or that of a
 * replica that is a moment behind, is harmless. An entry is dropped when the last list with it has expired, an access token's
 * life after that was signed.
 */
export function createIssuerRevocations(dependencies: Dependencies): IssuerRevocations {
  const { fetchDocument, keys, issuer, audience, clock, clockToleranceSeconds, reachability, onShorterLife } =
    dependencies;
  const revocations = createRevocations(clockToleranceSeconds);
  const ownAudience = revocationsAudience(issuer);
  const expected = {
    kind: 'revocations',
    issuer,
    audience: [ownAudience, audience], // the version before had that of access tokens
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
      // An old one may be of former settings: under a longer life, what was revoked since and is forgotten would be good again.
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

  /** Replicas that are being restarted may say one thing and another; an older one among them says nothing. */
  function learnLifetime(seconds = lifetimeSeconds): void {
    const before = lifetimeSeconds ?? Number.POSITIVE_INFINITY;
    lifetimeSeconds = seconds;
    if (seconds !== undefined && seconds < before) onShorterLife();
  }

  /** A list that is signed with a key nobody has seen yet is how a revoked key is found out within seconds. */
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
      // A clock that was ahead has made forget what matters now: an unchanged list is wanted too.
      if (now < before) etag = undefined;
      try {
        await fetchList();
        revocations.prune(Math.min(now, before)); // so that a clock that is ahead for one poll makes nothing forgotten
        reachability.answered();
      } catch (err) {
        reachability.failed(err); // from now on a revocation takes as long as an access token lives
      }
    },
    state: () => (reachability.isCurrent() ? 'current' : 'stale'),
  };
}
