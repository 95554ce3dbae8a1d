import { isThisMachine, isUnprotected } from '../base/this-machine.ts';
import type { Config } from '../config/config.ts';
import { hasPlainCookies } from '../transports/cookie.ts';

/**
 * Greets on standard error, since standard output holds the log.
 * @param listening the addresses of the port, which differ from the public one for a free port or behind a proxy
 */
export function greet({ server, passwords, accounts }: Config, listening: readonly string[]): void {
  const { publicUrl, docsPage } = server;
  const { hostname } = new URL(publicUrl);
  const password = isThisMachine(hostname)
    ? 'violet otters play chess'.padEnd(passwords.minLength, '!')
    : '…';
  const user = `'{"email":"ada@example.com","password":"${password}"}'`;
  const curl = (path: string) => `  curl ${publicUrl}${path} -H 'Content-Type: application/json' -d ${user}`;
  console.error(
    [
      `idcard serves on ${publicUrl}`,
      ...(isUnprotected(publicUrl)
        ? [
            'Over http anybody on the way can read passwords and tokens (INSECURE_HTTP=on). Cookies are refused.',
          ]
        : []),
      ...(hasPlainCookies(publicUrl)
        ? [
            'For development: without https the cookies are not Secure, and their names have no __Host- prefix.',
          ]
        : []),
      `Listening on ${listening.join(' and ')}`,
      ...(docsPage ? [`Every route, to try in a browser: ${publicUrl}/docs`] : []),
      ...(accounts.registration === 'open'
        ? ['A user, and their first token:', curl('/v1/register')]
        : ['Registration is closed. A first token, once "idcard users add" has added the user:']),
      curl('/v1/login'),
    ].join('\n'),
  );
}
