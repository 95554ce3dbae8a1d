import * as oauth from 'oauth4webapi';
import { ADA } from './app.ts';

const insecure = { [oauth.allowInsecureRequests]: true };
type TokenFetch = NonNullable<oauth.TokenEndpointRequestOptions[typeof oauth.customFetch]>;

/** A client of the library oauth4webapi, with a key of its own and a clock that is wrong by some seconds. */
export async function createOauthClient(url: string, clockIsAheadSeconds = 0) {
  const client: oauth.Client = { client_id: 'idcard', [oauth.clockSkew]: clockIsAheadSeconds };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const answers: Response[] = [];
  const endpoint = (path: string) => ({ issuer: url, token_endpoint: url + path });

  /** Forms and plain JSON to what is spoken here. Proofs and nonces are the library's and pass unchanged. */
  const translate: TokenFetch = async (address, { method, headers, body }) => {
    const { grant_type, client_id, ...fields } = Object.fromEntries(body);
    const init = { method, headers: { ...headers, 'content-type': 'application/json' } };
    const response = await fetch(address, { ...init, body: JSON.stringify(fields) });
    answers.push(response.clone());
    const translated = new Headers(response.headers);
    translated.set('content-type', 'application/json');
    return new Response(response.body, { status: response.status, headers: translated });
  };
  const options = { ...insecure, DPoP, [oauth.customFetch]: translate };

  return {
    answers,
    jkt: await DPoP.calculateThumbprint(),
    logIn: (password = ADA.password) =>
      retried(async () => {
        const server = endpoint('/v1/login');
        const fields = { email: ADA.email, password };
        const response = await oauth.genericTokenEndpointRequest(
          ...([server, client, oauth.None(), 'password', fields, options] as const),
        );
        return asPair(await oauth.processGenericTokenEndpointResponse(server, client, response));
      }),
    refresh: (token: string) =>
      retried(async () => {
        const server = endpoint('/v1/refresh');
        const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), token, options);
        return asPair(await oauth.processRefreshTokenResponse(server, client, response));
      }),
    ask: (token: string, method: string, path: string, body?: object) => {
      const headers = new Headers(body && { 'content-type': 'application/json' });
      const sent = body ? JSON.stringify(body) : null;
      return oauth.protectedResourceRequest(token, method, new URL(path, url), headers, sent, {
        ...insecure,
        DPoP,
      });
    },
  };
}

/** What the library's documentation has a client do: once more when a nonce is asked for, and only then. */
export async function retried<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return await send();
  }
}

function asPair({ access_token, refresh_token, token_type }: oauth.TokenEndpointResponse) {
  if (refresh_token === undefined) throw new Error('no refresh token');
  return { access_token, refresh_token, token_type };
}
