import { test as base, expect, onTestFinished } from 'vitest';
import { addUser, createTestApp, logIn, logInWithCookies, type TestApp, type TestOptions } from './app.ts';

export { describe, expect } from 'vitest';

/** The status of each problem; an explicit `status` says which of two it is. */
const STATUS = {
  'cookies-need-https': 403,
  'cross-site-request': 403,
  'email-taken': 409,
  'headers-too-large': 431,
  'insufficient-scope': 403,
  'internal-error': 500,
  'invalid-credentials': 401,
  'invalid-dpop-proof': 401,
  'invalid-request': 400,
  'invalid-token': 401,
  'issuer-unavailable': 503,
  'login-required': 401,
  'method-not-allowed': 405,
  'not-found': 404,
  overloaded: 503,
  'payload-too-large': 413,
  'recent-login-required': 401,
  'refresh-token-required': 401,
  'registration-closed': 403,
  'request-timeout': 408,
  'role-required': 403,
  'several-credentials': 400,
  'too-many-requests': 429,
  unavailable: 503,
  'unsupported-media-type': 415,
  'uri-too-long': 414,
  'use-dpop-nonce': 401,
  'weak-password': 400,
  'wrong-password': 403,
};

const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** An injected answer that is this problem document, with its status; and with these members. */
    toBeProblem(slug: keyof typeof STATUS, members?: Record<string, unknown>): R;
  }
}

expect.extend({
  toBeProblem({ statusCode, headers, body }, slug: keyof typeof STATUS, members = {}) {
    const actual = { statusCode, contentType: headers['content-type'], body };
    if (actual.contentType === PROBLEM_JSON) actual.body = JSON.parse(body);
    const { status = STATUS[slug] } = members;
    const expected = {
      statusCode: status,
      contentType: PROBLEM_JSON,
      body: { type: `urn:idcard:problem:${slug}`, status, ...members },
    };
    return {
      pass: this.equals(actual, expected, [this.utils.iterableEquality, this.utils.subsetEquality]),
      message: () => `expected the answer ${this.isNot ? 'not ' : ''}to be the problem ${slug}`,
      actual,
      expected,
    };
  },
});

/** A whole app in memory, which is closed when the test ends. */
export async function startIdcard(options: TestOptions = {}): Promise<TestApp> {
  const idcard = await createTestApp(options);
  onTestFinished(() => idcard.close());
  return idcard;
}

/**
 * What a test that asks for it is given. `test.extend('options', …)` makes a `test` whose apps start with others;
 * `test.override` at the top of a file would reach the files after it, which share this module.
 */
export const test = base
  .extend('options', {} as TestOptions)
  .extend('idcard', ({ options }) => startIdcard(options))
  /** A user who exists. */
  .extend('ada', ({ idcard }) => addUser(idcard))
  /** Of Ada, who has logged in by bearer. */
  .extend('tokens', async ({ idcard, ada: _exists }) => {
    const tokens = await logIn(idcard);
    idcard.expectEvents('login.succeeded');
    return tokens;
  })
  /** The header of a browser in which Ada has logged in. */
  .extend('cookie', async ({ idcard, ada: _exists }) => {
    const cookie = await logInWithCookies(idcard);
    idcard.expectEvents('login.succeeded');
    return cookie;
  });
