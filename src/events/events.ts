/** Where a request came from, in every event of a request. */
export interface Sender {
  /** An address as the log has it: IPv4, or IPv6 in one spelling. */
  address: string;
  request_id: string;
}

/**
 * The events, by name: how much each matters, and its details. Details have no secret, no token, and no email: what was
 * typed as an email may be a password.
 */
const EVENTS = {
  'login.succeeded': event<Sender & { sub: string; transport: 'bearer' | 'cookie' }>('info'),
  /** `sub` is absent where nobody has the email. */
  'login.failed': event<Sender & { sub?: string | undefined }>('warn'),
  'token.refreshed': event<Sender & { sub: string }>('info'),
  /** `sub` is absent where no token says who logs out. */
  logout: event<Sender & { sub?: string | undefined }>('info'),
  'logout.everywhere': event<Sender & { sub: string }>('info'),
  'user.registered': event<Sender & { sub: string }>('info'),
  'password.changed': event<Sender & { sub: string }>('info'),
  'password.change-failed': event<Sender & { sub: string }>('warn'),
  /** The user has a stored hash with which no password is ever compared. */
  'password.unusable': event<{ sub: string; reason: string; request_id: string }>('warn'),
  /** An attempt is refused, since too many were made before it. */
  'attempts.limited': event<Sender>('warn'),
  /** The queue in front of the hash is too long. A flood tells this for each attempt, so there is no stack. */
  'attempts.turned-away': event<Sender>('warn'),
  /** A request is answered with a 5xx. */
  'request.failed': event<Sender & { problem: string; err: unknown }>('error'),
  'revocations.current': event<object>('info'),
  /** From now on a revocation takes as long as an access token lives. */
  'revocations.stale': event<{ bound_seconds: number; err: unknown }>('warn'),
  /** Attempts are counted in Redis, for all replicas. */
  'limits.shared': event<object>('info'),
  /** Redis is away: attempts are counted in each process. */
  'limits.local': event<{ reason: string }>('warn'),
  'clock.corrected': event<{ seconds: number }>('warn'),
  'database.pooler': event<object>('warn'),
  'http.insecure': event<object>('warn'),
  'server.stopping': event<{ signal: string }>('info'),
  'worker.ended': event<{
    worker: number;
    code: number | null;
    signal: string | null;
    replaced_in_ms: number;
  }>('error'),

  /* What operators do, by commands. */
  'user.added': event<{ sub: string; roles: readonly string[] }>('info'),
  'user.deleted': event<{ sub: string }>('info'),
  'user.disabled': event<{ sub: string }>('info'),
  'user.enabled': event<{ sub: string }>('info'),
  'user.email-changed': event<{ sub: string }>('info'),
  'user.email-verified': event<{ sub: string }>('info'),
  'user.email-unverified': event<{ sub: string }>('info'),
  'user.roles-changed': event<{ sub: string; roles: readonly string[] }>('info'),
  'password.set': event<{ sub: string }>('info'),
  'users.imported': event<{ lines: number; added: number; already_there: number; refused: number }>('info'),
  'users.exported': event<{ users: number }>('info'),
  'users.moved': event<{ users: number; added: number }>('info'),
  'keys.created': event<{ kids: readonly string[] }>('info'),
  'keys.rotated': event<{ kids: readonly string[]; signs_from: string }>('info'),
  'keys.revoked': event<{ kid: string }>('info'),
};

/** How much an event matters. */
export type Level = 'info' | 'warn' | 'error';
type EventName = keyof typeof EVENTS;
type Details<N extends EventName> = ReturnType<(typeof EVENTS)[N]['as']>;

/** An event that says only where a request came from. A problem may tell one besides its answer. */
export type RequestEvent = {
  [N in EventName]: [Sender, Details<N>] extends [Details<N>, Sender] ? N : never;
}[EventName];

/** Hears of everything that happens. It must not throw. */
export type Listener = <N extends EventName>(name: N, details: Details<N>, level: Level) => void;

export interface Events {
  tell<N extends EventName>(name: N, details: Details<N>): void;
}

export function createEvents(...listeners: readonly Listener[]): Events {
  return {
    tell(name, details) {
      for (const listen of listeners) listen(name, details, EVENTS[name].level);
    },
  };
}

/** The details exist as a type alone. */
function event<D extends object>(level: Level): { level: Level; as: (details: D) => D } {
  return { level, as: (details) => details };
}
