import type { Session } from './session.ts';
import type { Credentials, StoredLogin, Transport } from './transport.ts';

/** Sends a request with the login, and renews the login when its access token has ended. */
export type SendRenewing = (request: Request, renew?: Session['renew']) => Promise<Response>;

export function createSendRenewing(
  session: Session,
  { isRenewable }: Transport,
  send: (request: Request, credentials: Credentials) => Promise<Response>,
): SendRenewing {
  return async (request, renew = session.renew) => {
    let login = await session.look();
    const id = login?.id;
    const renewSame = async () => {
      const renewed = await renew(login);
      return id && renewed?.id !== id ? undefined : renewed; // a request of one user is not repeated as another
    };
    const age = shareOfLifetime(login);
    if (age >= 1) login = await renewSame().catch(() => login);
    else if (age > 0.9) session.renew(login).catch(() => undefined); // in the background: the token still works
    const response = await send(request, login ?? {});
    if (response.status !== 401 || !isRenewable(errorCodeOf(response))) return response;
    const renewed = await renewSame();
    return renewed ? send(request, renewed) : response;
  };
}

/** 1 or more when the access token has ended, or when a clock that was set back leaves its age unknown. */
function shareOfLifetime(login: StoredLogin | undefined): number {
  if (!login?.tokens) return 0;
  const { receivedAtMs, expires_in } = login.tokens;
  const ageMs = Date.now() - receivedAtMs;
  return ageMs < 0 ? 1 : ageMs / (1000 * expires_in);
}

/** The `error` of a challenge (RFC 6750 §3). */
function errorCodeOf({ headers }: Response): string | undefined {
  return /\berror="?(\w+)/.exec(headers.get('www-authenticate') ?? '')?.[1];
}
