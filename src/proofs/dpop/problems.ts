import { define } from '../../problems/define.ts';

/* Where tokens are issued RFC 9449 §5 asks for 400, where they are used §7.1 asks for 401 with a challenge. */

const INVALID = ['invalid-dpop-proof', 'Invalid DPoP proof', 'The DPoP proof is not valid.'] as const;

export const invalidDpopProof = {
  login: define(400, ...INVALID, { error: 'invalid_dpop_proof' }),
  resource: define(401, ...INVALID, { challenge: 'invalid_dpop_proof', error: 'invalid_dpop_proof' }),
};

const NONCE_REQUIRED = [
  'use-dpop-nonce',
  'DPoP nonce required',
  'Repeat the request with the nonce of the DPoP-Nonce header in the proof.',
] as const;

export const dpopNonceRequired = {
  login: define(400, ...NONCE_REQUIRED, { error: 'use_dpop_nonce' }),
  resource: define(401, ...NONCE_REQUIRED, { challenge: 'use_dpop_nonce', error: 'use_dpop_nonce' }),
};
