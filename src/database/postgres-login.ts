import type { Connection } from 'pg';
import type { AuthenticationMethod, PostgresServer } from './postgres-url.ts';

/** The server asked for the password in a way that the URL does not allow, or did not ask for it. */
export class ForbiddenLoginError extends Error {
  override name = 'ForbiddenLoginError';
}

export interface Login {
  password: string | undefined | (() => string);
  /** Notes what the server asks for, before the driver answers. */
  watch(connection: Connection): void;
  /** To be called when the server has accepted the login. @throws ForbiddenLoginError */
  check(): void;
}

/**
 * Enforces channel_binding=require and require_auth. An impostor of the server would ask for the password in another way, or for
 * none, and the driver would do as the impostor asks.
 */
export function createLogin({ password, channelBinding, methods }: PostgresServer): Login {
  const mustBind = channelBinding === 'require';
  if (!mustBind && !methods) return { password, watch: () => undefined, check: () => undefined };

  let method: AuthenticationMethod = 'none';
  let binds = false;
  let isProven = false;

  function refuseForbidden(): void {
    if ((mustBind && !binds) || (methods && !methods.has(method)))
      throw new ForbiddenLoginError(`The server asks for ${method}${binds ? ' with' : ' without'} binding.`);
  }

  return {
    password() {
      refuseForbidden();
      return password ?? '';
    },
    watch(connection) {
      connection.on('authenticationCleartextPassword', () => {
        method = 'password';
      });
      connection.on('authenticationMD5Password', () => {
        method = 'md5';
      });
      connection.on('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
        method = 'scram-sha-256';
        binds = mechanisms.includes('SCRAM-SHA-256-PLUS'); // the driver prefers it
      });
      // The driver has compared the server's own proof before this event.
      connection.on('authenticationSASLFinal', () => {
        isProven = true;
      });
    },
    check() {
      refuseForbidden();
      if (method === 'scram-sha-256' && !isProven)
        throw new ForbiddenLoginError('The server let in without a proof that it knows the password.');
    },
  };
}
