import { define } from '../problems/define.ts';

export const insufficientScope = define(
  403,
  'insufficient-scope',
  'Insufficient scope',
  'The token lacks a scope that this needs.',
  { challenge: 'insufficient_scope' },
);

export const issuerUnavailable = define(
  503,
  'issuer-unavailable',
  'Issuer unavailable',
  'The keys of the issuer cannot be fetched right now; try again after the seconds in Retry-After.',
);
