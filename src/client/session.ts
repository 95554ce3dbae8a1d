import { ProblemError } from './problem-error.ts';
import { type Exclusive, joinTabs } from './tabs.ts';
import type { StoredLogin, Transport } from './transport.ts';

/** Why a login has ended: somebody logged out, or the service refused to renew it (expired, revoked, banned). */
export type EndReason = 'logout' | 'refused';

export type LoginEvent = { type: 'login' } | { type: 'loginEnded'; reason: EndReason };

/** The login of all tabs. It is stored in one place, renewed once for all who wait, and ended once. */
export interface Session {
  /** The login as it is now. */
  look(): Promise<StoredLogin | undefined>;
  keep(login: StoredLogin): Promise<void>;
  end(reason: EndReason): Promise<void>;
  /** Runs logins, renewals and logouts one at a time: the cookies of a late answer would undo a later change. */
  exclusive: Exclusive;
  /**
   * The login that follows the given one, by one renewal for all callers; undefined when the login has ended.
   * @throws the error of a renewal that failed without ending the login
   */
  renew(old: StoredLogin | undefined): Promise<StoredLogin | undefined>;
  /** The same, for callers that run in `exclusive`. */
  renewInTurn(old: StoredLogin | undefined): Promise<StoredLogin | undefined>;
}

/** A message from one tab to the others. */
interface Message {
  ended?: { id?: string | undefined; reason: EndReason };
}

type RequestRenewal = (login: StoredLogin | undefined) => Promise<StoredLogin>;

const PATIENCE_MS = 1000;
const REFUSALS = /:(invalid-token|refresh-token-required|invalid-dpop-proof)$/;

export function createSession(
  { storage, name }: Transport,
  requestRenewal: RequestRenewal,
  emit: (event: LoginEvent) => void,
): Session {
  /** The id of the login in the latest event; null until the storage was read for the first time. */
  let seen: string | undefined | null = null;
  /** The id of the login that ended last: `localStorage` may show it for a moment longer. */
  let over: string | undefined;
  /** How many changes this tab has made. A read that began before a change is outdated. */
  let changes = 0;
  let renewal: Promise<StoredLogin | undefined> | undefined;
  let pause: { untilMs: number; error: ProblemError } | undefined;
  const { exclusive, tell } = joinTabs(storage.shared, hear);
  hear({});

  /** Ignores a storage that fails: the next caller who needs it gets the error. */
  function hear(message: unknown): void {
    look(message as Message).catch(() => undefined); // `tell` of another tab sends nothing else
  }

  async function look({ ended }: Message = {}): Promise<StoredLogin | undefined> {
    over = ended?.id || over;
    const before = changes;
    const stored = await storage.get();
    const login = stored?.id && stored.id !== over ? stored : undefined;
    if (before !== changes) return login;
    if (login || ended || !seen) notice(login, ended?.reason);
    // Either another tab ended the login, and tells the reason in a moment, or something else emptied the storage.
    else setTimeout(hear, PATIENCE_MS, { ended: { reason: 'logout' } } satisfies Message);
    return login;
  }

  function notice(login: StoredLogin | undefined, reason: EndReason = 'logout'): void {
    const before = seen;
    seen = login?.id;
    if (before === null || before === seen) return;
    emit(login ? { type: 'login' } : { type: 'loginEnded', reason });
  }

  async function keep(login: StoredLogin): Promise<void> {
    await storage.set(login);
    changes++;
    notice(login);
    tell({});
  }

  async function end(reason: EndReason): Promise<void> {
    const login = await storage.get();
    const device = login?.device;
    await (device ? storage.set({ id: '', edition: '', device }) : storage.delete());
    over = login?.id || over;
    changes++;
    notice(undefined, reason);
    tell({ ended: { id: login?.id, reason } });
  }

  async function renewInTurn(old: StoredLogin | undefined): Promise<StoredLogin | undefined> {
    const login = await look();
    if (login?.edition !== old?.edition) return login; // another tab was faster, or the login has ended
    if (!login && name === 'bearer') return undefined;
    if (pause && performance.now() < pause.untilMs) throw pause.error;
    const renewed = await requestRenewal(login).catch(unlessRefused);
    const isStillTheOne = (await look())?.edition === login?.edition; // false after a logout meanwhile
    if (isStillTheOne) await replace(login, renewed);
    return look();
  }

  async function replace(login: StoredLogin | undefined, renewed: StoredLogin | undefined): Promise<void> {
    if (renewed) await keep(renewed);
    else if (login) await end('refused');
  }

  /** Only a refusal by idcard ends a login: a network that is away does not, nor does an answer of a proxy. */
  function unlessRefused(error: unknown): undefined {
    if (!(error instanceof ProblemError)) throw error;
    if (REFUSALS.test(error.type)) return;
    pause = { untilMs: performance.now() + 1000 * (error.retryAfterSeconds ?? 0), error };
    throw error;
  }

  return {
    look,
    keep,
    end,
    exclusive,
    renewInTurn,
    renew(old) {
      renewal ??= exclusive(() => renewInTurn(old)).finally(() => {
        renewal = undefined;
      });
      return renewal;
    },
  };
}
