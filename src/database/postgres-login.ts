import type { Connection } from 'pg';
import type { AuthenticationMethod, PostgresServer } from './postgres-url.ts';

/** The server asked for the password, or for none, in a way that the URL does not allow. */
export class ForbiddenLoginError extends Error {
  override name = 'ForbiddenLoginError';
}

export interface Login {
  password: string | undefined | (() => string);
  /** Hears what the server asks for, before the driver answers. */
  watch(connection: Connection): void;
  /** When the server has let in. @throws ForbiddenLoginError */
  check(): void;
}

/**
 * Keeps channel_binding=require and require_auth: whoever stands in the server's place would ask for the password in
 * another way, or for none, and the driver would do as it is told.
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
        binds = mechanisms.includes('SCRAM-SHA-256-PLUS'); // which the driver then takes
      });
      // The driver has compared the server's own proof by then.
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
