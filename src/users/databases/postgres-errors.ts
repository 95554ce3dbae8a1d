import { StartupError } from '../../startup-error.ts';
import type { PostgresServer } from './postgres-url.ts';

/**
 * Classes and codes of trouble with the server and not with the query (PostgreSQL manual, appendix A): the connection,
 * a rollback by the server, too many of something, not the right state, an operator, the system, corruption; and a
 * server that became a read-only standby.
 */
const TROUBLE = /^(?:08|40|53|55|57|58|XX|25006)/;

/** Whether the server is in trouble, or the way to it. */
export function isTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = sqlState(error);
  // Whatever the server did not say itself happened on the way: a lost connection, a timeout.
  return code === undefined ? !(error instanceof TypeError) : TROUBLE.test(code);
}

/** The one sentence for a server that cannot be used at the start. */
export function refusalOf(cause: unknown, { host, port, user, database }: PostgresServer): StartupError {
  const server = `The PostgreSQL server ${host}:${port}`;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = sqlState(cause);
  const because = (sentence: string) => new StartupError(`${server} ${sentence}.`, { cause });
  if (code === '28P01' || message.startsWith('SASL'))
    return because('refuses the user or the password of DATABASE_URL');
  if (code === '28000')
    return because('lets this user in neither from here nor in this way: see its pg_hba.conf, and sslmode');
  if (code === '3D000') return because(`has no database ${database}: create it, owned by ${user}`);
  if (code !== undefined) return because(`cannot be used: it says ${JSON.stringify(message)} (${code})`);
  if (message.includes('does not support SSL'))
    return because('offers no TLS: turn it on there, or say sslmode=disable on a network you trust');
  const reason = errorCode(cause) ?? 'no answer in time';
  if (/CERT|SIGNATURE|ISSUER|SSL|TLS/.test(reason))
    return because(`shows a certificate that is not trusted (${reason}): check sslrootcert, and the host`);
  return because(`cannot be reached (${reason}): check the host and the port of DATABASE_URL`);
}

/** Of an error that the server sent. */
export function sqlState(error: unknown): string | undefined {
  const isFromServer = error instanceof Error && 'severity' in error;
  return isFromServer ? errorCode(error) : undefined;
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
