import { codeOf } from '../base/error-code.ts';
import { quoted } from '../base/log-text.ts';
import { StartupError } from '../base/startup-error.ts';
import { ForbiddenLoginError } from './postgres-login.ts';
import type { PostgresHost, PostgresServer } from './postgres-url.ts';

/**
 * Classes and codes of trouble with the server and not with the query (PostgreSQL manual, appendix A): connection exception,
 * transaction rollback, insufficient resources, object not in prerequisite state, operator intervention, system error,
 * internal error; and a server that became a read-only standby.
 */
const TROUBLE = /^(?:08|40|53|55|57|58|XX|25006)/;

/** The server takes no changes: it is a standby, or a primary that is set to read-only. */
export class StandbyError extends Error {
  override name = 'StandbyError';
}

const READ_ONLY = '25006';
/** The code of a server that starts, stops, or recovers. */
const CANNOT_CONNECT_NOW = '57P03';
/** A class of codes. PgBouncer sends no other. */
const CONNECTION_EXCEPTION = '08';

/** Whether the server, or the network to it, is in trouble. */
export function isTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = sqlState(error);
  // An error without a code does not come from the server: a lost connection, a timeout.
  return code === undefined ? !(error instanceof TypeError) : TROUBLE.test(code);
}

/** Whether the server became read-only. */
export function isDemotion(error: unknown): boolean {
  return sqlState(error) === READ_ONLY;
}

/** Whether the driver gave up a query, which the server may still be running. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/**
 * Whether another host is worth a try, as libpq decides: a server that refuses the login is believed, and one that starts is
 * passed over. So is a pooler whose server is gone, which answers with a connection exception.
 */
export function isElsewhere(error: unknown): boolean {
  if (error instanceof ForbiddenLoginError) return false;
  const code = sqlState(error);
  // The pool says this, and no server: all connections are busy.
  const isBusy = error instanceof Error && error.message === 'timeout exceeded when trying to connect';
  return code === undefined ? !isBusy : code === CANNOT_CONNECT_NOW || code.startsWith(CONNECTION_EXCEPTION);
}

/** Whether a pooler refuses the startup parameter statement_timeout, in the words of PgBouncer or of RDS Proxy. */
export function refusesTimeout(error: unknown): boolean {
  return (
    sqlState(error) !== undefined &&
    /startup parameter|command-line options|statement_timeout/i.test((error as Error).message)
  );
}

/** The sentence for a server that cannot be used at the start. */
export function refusalOf(
  cause: unknown,
  { user, database, options }: PostgresServer,
  { host, port }: PostgresHost,
): StartupError {
  const server = `The PostgreSQL server ${host}:${port}`;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = sqlState(cause);
  const because = (sentence: string) => new StartupError(`${server} ${sentence}.`, { cause });
  if (cause instanceof StandbyError)
    return because(
      'takes no changes, as a standby does: name its primary, or both, like host1:5432,host2:5432',
    );
  if (cause instanceof ForbiddenLoginError)
    return because(
      'asks for the password in a way that channel_binding or require_auth of DATABASE_URL forbids',
    );
  if (options && refusesTimeout(cause))
    return because(
      `takes no options, as poolers do: remove them from DATABASE_URL, and set them with ALTER ROLE ${user} SET …`,
    );
  if (code === '28P01' || message.startsWith('SASL'))
    return because('refuses the user or the password of DATABASE_URL');
  if (code === '28000')
    return because('lets this user in neither from here nor in this way: see its pg_hba.conf, and sslmode');
  if (code === '3D000') return because(`has no database ${database}: create it, owned by ${user}`);
  if (code !== undefined) return because(`cannot be used: it says ${quoted(message)} (${code})`);
  if (message.includes('does not support SSL'))
    return because('offers no TLS: turn it on there, or say sslmode=disable on a network you trust');
  const ofSystem = errorCode(cause);
  if (ofSystem && /CERT|SIGNATURE|ISSUER|SSL|TLS/.test(ofSystem))
    return because(`shows a certificate that is not trusted (${ofSystem}): check sslrootcert, and the host`);
  const reason = ofSystem ?? (/time/i.test(message) ? 'no answer in time' : message);
  return because(`cannot be reached (${reason}): check the host and the port of DATABASE_URL`);
}

/** The SQLSTATE of an error that the server sent. */
export function sqlState(error: unknown): string | undefined {
  const isFromServer = error instanceof Error && 'severity' in error;
  return isFromServer ? errorCode(error) : undefined;
}

function errorCode(error: unknown): string | undefined {
  const code = codeOf(error);
  return code === undefined ? undefined : String(code);
}
