import { Problem, type ProblemKind, type ProblemOptions } from './problem.ts';
import { withoutStack } from './without-stack.ts';

/** Makes a problem of one kind; the kind itself documents the route that can answer with it. */
export interface ProblemFactory {
  (options?: ProblemOptions): Problem;
  kind: ProblemKind;
}

function define(kind: ProblemKind): ProblemFactory {
  return Object.assign((options?: ProblemOptions) => withoutStack(() => new Problem(kind, options)), {
    kind,
  });
}

export const invalidRequest = define({
  slug: 'invalid-request',
  status: 400,
  title: 'Invalid request',
  detail: 'The request is malformed.',
});

export const severalCredentials = define({
  slug: 'several-credentials',
  status: 400,
  title: 'Several credentials',
  detail: 'Send one credential: either one Authorization header or one cookie or one body field.',
  challenge: 'invalid_request',
});

/** Where tokens are issued RFC 9449 §5 asks for 400, where they are used §7.1 asks for 401 with a challenge. */
export const invalidDpopProof = {
  login: define({
    slug: 'invalid-dpop-proof',
    status: 400,
    title: 'Invalid DPoP proof',
    detail: 'The DPoP proof is not valid.',
    error: 'invalid_dpop_proof',
  }),
  resource: define({
    slug: 'invalid-dpop-proof',
    status: 401,
    title: 'Invalid DPoP proof',
    detail: 'The DPoP proof is not valid.',
    challenge: 'invalid_dpop_proof',
    error: 'invalid_dpop_proof',
  }),
};

export const dpopNonceRequired = {
  login: define({
    slug: 'use-dpop-nonce',
    status: 400,
    title: 'DPoP nonce required',
    detail: 'Repeat the request with the nonce of the DPoP-Nonce header in the proof.',
    error: 'use_dpop_nonce',
  }),
  resource: define({
    slug: 'use-dpop-nonce',
    status: 401,
    title: 'DPoP nonce required',
    detail: 'Repeat the request with the nonce of the DPoP-Nonce header in the proof.',
    challenge: 'use_dpop_nonce',
    error: 'use_dpop_nonce',
  }),
};

export const weakPassword = define({
  slug: 'weak-password',
  status: 400,
  title: 'Password refused',
  detail: 'The new password is refused; errors says why.',
});

export const loginRequired = define({
  slug: 'login-required',
  status: 401,
  title: 'Login required',
  detail: 'Send an access token as "Authorization: Bearer <token>" or log in with cookies.',
  challenge: null,
});

export const refreshTokenRequired = define({
  slug: 'refresh-token-required',
  status: 401,
  title: 'Refresh token required',
  detail: 'Send the refresh token as "refresh_token" in a JSON body, or its cookie.',
  challenge: null,
});

export const invalidToken = define({
  slug: 'invalid-token',
  status: 401,
  title: 'Invalid token',
  detail: 'The token is not valid.',
  challenge: 'invalid_token',
});

export const recentLoginRequired = define({
  slug: 'recent-login-required',
  status: 401,
  title: 'Recent login required',
  detail: 'The login is too old for this; log in again.',
  challenge: 'insufficient_user_authentication',
});

export const invalidCredentials = define({
  slug: 'invalid-credentials',
  status: 401,
  title: 'Invalid credentials',
  detail: 'The email or the password is wrong.',
  challenge: null,
});

export const wrongPassword = define({
  slug: 'wrong-password',
  status: 403,
  title: 'Wrong password',
  detail: 'The current password is wrong.',
});

export const crossSite = define({
  slug: 'cross-site-request',
  status: 403,
  title: 'Cross-site request',
  detail:
    'Requests with cookies must come from a page of this origin, or of one that the operator lists in ALLOWED_ORIGINS.',
});

export const registrationClosed = define({
  slug: 'registration-closed',
  status: 403,
  title: 'Registration closed',
  detail: 'Accounts are created by the operator alone: REGISTRATION is closed here.',
});

export const insufficientScope = define({
  slug: 'insufficient-scope',
  status: 403,
  title: 'Insufficient scope',
  detail: 'The token lacks a scope that this needs.',
  challenge: 'insufficient_scope',
});

export const roleRequired = define({
  slug: 'role-required',
  status: 403,
  title: 'Role required',
  detail: 'The user has no role that may do this.',
});

export const notFound = define({
  slug: 'not-found',
  status: 404,
  title: 'Not found',
  detail: 'There is nothing at this address; /openapi.yaml lists what there is.',
});

export const methodNotAllowed = define({
  slug: 'method-not-allowed',
  status: 405,
  title: 'Method not allowed',
  detail: 'This address does not take this method; the Allow header names those that it takes.',
});

export const requestTimeout = define({
  slug: 'request-timeout',
  status: 408,
  title: 'Request timeout',
  detail: 'The request took too long to arrive.',
});

export const emailTaken = define({
  slug: 'email-taken',
  status: 409,
  title: 'Email taken',
  detail: 'There is already a user with this email.',
});

export const payloadTooLarge = define({
  slug: 'payload-too-large',
  status: 413,
  title: 'Payload too large',
  detail: 'The request body is larger than 16 KiB, which is the most that is taken.',
});

export const uriTooLong = define({
  slug: 'uri-too-long',
  status: 414,
  title: 'URI too long',
  detail: 'The address is too long.',
});

export const unsupportedMediaType = define({
  slug: 'unsupported-media-type',
  status: 415,
  title: 'Unsupported media type',
  detail: 'Send the body as JSON with "Content-Type: application/json".',
});

export const tooManyRequests = define({
  slug: 'too-many-requests',
  status: 429,
  title: 'Too many requests',
  detail: 'Too many attempts; try again after the seconds in Retry-After.',
});

export const headersTooLarge = define({
  slug: 'headers-too-large',
  status: 431,
  title: 'Headers too large',
  detail: 'The request headers are larger than 16 KiB, which is the most that is taken.',
});

export const internalError = define({
  slug: 'internal-error',
  status: 500,
  title: 'Internal error',
  detail: 'Something went wrong on our side; the log says what.',
});

export const overloaded = define({
  slug: 'overloaded',
  status: 503,
  title: 'Overloaded',
  detail: 'Too many passwords wait to be checked; try again after the seconds in Retry-After.',
});

export const issuerUnavailable = define({
  slug: 'issuer-unavailable',
  status: 503,
  title: 'Issuer unavailable',
  detail: 'The keys of the issuer cannot be fetched right now; try again after the seconds in Retry-After.',
});

export const unavailable = define({
  slug: 'unavailable',
  status: 503,
  title: 'Unavailable',
  detail: 'The user directory cannot be reached right now; tokens are still verified.',
});
