import type { TokenResponse } from './openapi.ts';
import { checked } from './problem-error.ts';
import { randomId } from './random-id.ts';
import type { Credentials, StoredLogin } from './transport.ts';

const TIMEOUT_MS = 30_000;

/** A request to idcard itself. */
export function requestTo(url: string, method: string, path: string, body?: object): Request {
  return new Request(url + path, {
    method,
    redirect: 'manual', // a password is for nobody else: `checked` refuses
    signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null, // others wait for this one
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
}

/** The login that an answer with tokens, or with cookies, gives. */
export async function receiveLogin(
  answer: Promise<Response>,
  base: Credentials & { id?: string; device?: string | undefined },
): Promise<StoredLogin> {
  const receivedAtMs = Date.now(); // rather too early
  const response = await checked(answer);
  const { id = randomId(), key } = base;
  const tokens =
    response.status === 200 ? { ...(await jsonOf<TokenResponse>(response)), receivedAtMs } : undefined;
  return { id, edition: randomId(), key, tokens, device: tokens?.device_token ?? base.device };
}

/** `openapi.yaml` says what it is. */
export function jsonOf<T>(response: Response): Promise<T> {
  return response.json() as Promise<T>;
}
