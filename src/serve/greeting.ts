import type { Config } from '../config.ts';
import { isThisMachine } from '../this-machine.ts';
import { hasPlainCookies } from '../transports/cookie.ts';

/** On standard error, since standard output holds the log, one JSON object a line. */
export function greet({ publicUrl, docsPage, passwordMinLength, registration }: Config): void {
  const { hostname } = new URL(publicUrl);
  const password = isThisMachine(hostname) ? 'violet otters play chess'.padEnd(passwordMinLength, '!') : '…';
  const user = `'{"email":"ada@example.com","password":"${password}"}'`;
  const curl = (path: string) => `  curl ${publicUrl}${path} -H 'Content-Type: application/json' -d ${user}`;
  console.error(
    [
      `idcard serves on ${publicUrl}`,
      ...(hasPlainCookies(publicUrl)
        ? [
            'For development: without https the cookies are not Secure, and their names have no __Host- prefix.',
          ]
        : []),
      ...(docsPage ? [`Every route, to try in a browser: ${publicUrl}/docs`] : []),
      ...(registration === 'open'
        ? ['A user, and their first token:', curl('/v1/register')]
        : ['Registration is closed. A first token, once "idcard users add" has added the user:']),
      curl('/v1/login'),
    ].join('\n'),
  );
}
