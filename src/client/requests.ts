import type { TokenResponse } from './openapi.ts';
import { checked } from './problem-error.ts';
import { randomId } from './random-id.ts';
import type { Credentials, StoredLogin } from './transport.ts';

const TIMEOUT_MS = 30_000;

/** A request to idcard itself. */
export function requestTo(url: string, method: string, path: string, body?: object): Request {
  return new Request(url + path, {
    method,
    redirect: 'manual', // nobody else may get a password: `checked` refuses redirects
    signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null, // other requests wait for this one
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
}

/** The login of an answer with tokens or with cookies. */
export async function receiveLogin(
  answer: Promise<Response>,
  base: Credentials & { id?: string; device?: string | undefined },
): Promise<StoredLogin> {
  const receivedAtMs = Date.now(); // before the answer comes: a token never counts as younger than it is
  const response = await checked(answer);
  const { id = randomId(), key } = base;
  const tokens =
    response.status === 200 ? { ...(await jsonOf<TokenResponse>(response)), receivedAtMs } : undefined;
  return { id, edition: randomId(), key, tokens, device: tokens?.device_token ?? base.device };
}

/** The body of an answer, with the type that `openapi.yaml` gives. */
export function jsonOf<T>(response: Response): Promise<T> {
  return response.json() as Promise<T>;
}
