import { AssertionError } from 'node:assert';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { type Answer, objectionTo } from './document.ts';

/* Every answer that a test sees is checked against openapi.yaml, whatever else the test looks at. */

/** Unit tests share a process, which runs this again for each file. */
const IS_CHECKED = Symbol.for('idcard: the answers of fetch are checked');

/** In `setupFiles` of vitest: the answers of servers in processes of their own. */
const realFetch = globalThis.fetch;
const checkedFetch: typeof fetch = async (input, init) => {
  const response = await realFetch(input, init);
  // Answers of a proxy, or of what stands in for a server, lack what every answer of idcard has.
  if (!response.headers.has('content-security-policy')) return response;
  const request = input instanceof Request ? input : undefined;
  check({
    method: init?.method ?? request?.method ?? 'GET',
    path: new URL(request?.url ?? String(input)).pathname,
    status: response.status,
    mediaType: mediaTypeOf(response.headers.get('content-type')),
    body: await response.clone().text(),
  });
  return response;
};
if (!(IS_CHECKED in realFetch)) globalThis.fetch = Object.assign(checkedFetch, { [IS_CHECKED]: true });

/** Checks what a test injects. */
export function checkInjected(app: FastifyInstance): void {
  const inject = app.inject.bind(app);
  const checked = async (options: InjectOptions | string) => {
    const response = await inject(options);
    const { method = 'GET', url = '' } = typeof options === 'string' ? { url: options } : options;
    const { pathname } = new URL(String(url), 'http://localhost');
    check(answerOf(method, pathname, response));
    return response;
  };
  app.inject = checked as typeof app.inject; // no test chains or calls back
}

export function answerOf(method: string, path: string, response: LightMyRequestResponse): Answer {
  const { statusCode: status, headers, body } = response;
  return { method, path, status, mediaType: mediaTypeOf(headers['content-type']), body };
}

function mediaTypeOf(contentType: unknown): string {
  return String(contentType ?? '').split(';')[0] ?? '';
}

function check(answer: Answer): void {
  const objection = objectionTo(answer);
  if (objection !== undefined) throw new AssertionError({ message: objection, actual: answer.body });
}
