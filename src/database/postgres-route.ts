import type { StartupError } from '../base/startup-error.ts';
import { isElsewhere, refusalOf, refusesTimeout } from './postgres-errors.ts';
import type { PostgresHost, PostgresServer } from './postgres-url.ts';

/** What one process has learned about its database: which host serves, and whether a pooler stands before it. */
export interface Route {
  server: PostgresServer;
  /** The host to try: the one that served last, or the next one after that failed. */
  host(): PostgresHost;
  /** Whether the server accepts the startup parameter statement_timeout. */
  takesTimeout(): boolean;
  succeeded(host: PostgresHost): void;
  /** @param sinceMs when the connection was tried */
  failed(host: PostgresHost, error: unknown, sinceMs: number): void;
  /** Whether another connection may succeed at once. */
  mayFareBetter(error: unknown): boolean;
  /** The server of a query became read-only. */
  demoted(): void;
  /** Connections that were opened before this time must be closed. */
  demotedAtMs(): number;
  /** Why a start fails, with a sentence for each host that failed. */
  refusal(cause: unknown): StartupError;
}

/** @param onPooler called once when statement_timeout is refused, as poolers do */
export function createRoute(server: PostgresServer, onPooler: () => void): Route {
  const { hosts } = server;
  const failures = new Map<PostgresHost, unknown>();
  const servedAtMs = new Map<PostgresHost, number>();
  let current = 0;
  let takesTimeout = true;
  let demotedAtMs = Number.NEGATIVE_INFINITY;
  const host = () => hosts[current] as PostgresHost;

  return {
    server,
    host,
    takesTimeout: () => takesTimeout,
    succeeded(serving) {
      servedAtMs.set(serving, performance.now());
      failures.clear(); // a later failure has another reason
    },
    failed(failing, error, sinceMs) {
      if (takesTimeout && refusesTimeout(error)) {
        takesTimeout = false;
        onPooler();
        return;
      }
      failures.set(failing, error);
      // Many connections may be tried at once. When one of them fails late, the host may already serve another.
      const serves = (servedAtMs.get(failing) ?? 0) > sinceMs;
      if (failing === host() && !serves && isElsewhere(error)) current = (current + 1) % hosts.length;
    },
    mayFareBetter: (error) => refusesTimeout(error) || (hosts.length > 1 && isElsewhere(error)),
    demoted() {
      demotedAtMs = performance.now();
    },
    demotedAtMs: () => demotedAtMs,
    refusal(cause) {
      const [first, ...others] = [...failures].map(([failing, error]) => refusalOf(error, server, failing));
      if (!first) return refusalOf(cause, server, host());
      for (const { message } of others) first.message += ` ${message}`;
      return first;
    },
  };
}
