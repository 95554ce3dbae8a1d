import { expect } from 'vitest';
import type { Answer, WireRequest } from './wire.ts';

const BEARER = 'Bearer realm="idcard"';
const DPOP = 'DPoP realm="idcard", algs="ES256 EdDSA"';
const code = (error: string) => `, error="${error}", error_description="[^"]+"`;

/** The ways in which an attack may end: status, problem and challenge (RFC 6750 §3, RFC 9449 §7.1). */
const OUTCOMES = {
  'invalid token': [401, 'invalid-token', `${BEARER}${code('invalid_token')}, ${DPOP}`],
  'invalid token, of DPoP': [401, 'invalid-token', `${DPOP}${code('invalid_token')}, ${BEARER}`],
  'invalid proof': [401, 'invalid-dpop-proof', `${DPOP}${code('invalid_dpop_proof')}, ${BEARER}`],
  'login required': [401, 'login-required', `${BEARER}, ${DPOP}`],
  'refresh token required': [401, 'refresh-token-required', `${BEARER}, ${DPOP}`],
  'several credentials': [400, 'several-credentials', `${BEARER}${code('invalid_request')}, ${DPOP}`],
  malformed: [400, 'invalid-request', undefined],
  'cross-site': [403, 'cross-site-request', undefined],
  'not found': [404, 'not-found', undefined],
  'wrong method': [405, 'method-not-allowed', undefined],
  'body too large': [413, 'payload-too-large', undefined],
  'no JSON': [415, 'unsupported-media-type', undefined],
  'headers too large': [431, 'headers-too-large', undefined],
} as const;
export type Outcome = keyof typeof OUTCOMES;

/** One hostile request, and what it must come to. */
export interface Attack {
  name: string;
  /** The clause or the CVE that it comes from. */
  source: string;
  request: WireRequest;
  outcome: Outcome;
}

export function expectOutcome(answer: Answer, outcome: Outcome, where: string): void {
  const [status, slug, challenge] = OUTCOMES[outcome];
  expect.soft(answer.status, where).toBe(status);
  expect.soft(JSON.parse(answer.body), where).toMatchObject({ type: `urn:idcard:problem:${slug}`, status });
  const sent = answer.headers.get('www-authenticate');
  if (challenge === undefined) expect.soft(sent, where).toBeUndefined();
  else expect.soft(sent, where).toMatch(new RegExp(`^${challenge}$`));
  expect.soft(answer.headers.get('content-type'), where).toMatch(/^application\/problem\+json/);
  expect.soft(answer.headers.get('cache-control'), where).toBe('no-store');
  expect.soft(answer.headers.has('set-cookie'), where).toBe(false);
}
