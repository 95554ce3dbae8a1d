import packageJson from '../../package.json' with { type: 'json' };
import { overloaded, tooManyRequests } from '../attempts/problems.ts';
import type { DocumentTexts } from '../http/openapi.ts';
import { invalidRequest, payloadTooLarge, unsupportedMediaType } from '../http/problems.ts';
import { internalError, invalidToken, unavailable } from '../problems/general.ts';
import { dpopNonceRequired, invalidDpopProof } from '../proofs/dpop/problems.ts';
import { cookiesNeedHttps, crossSite, loginRequired, severalCredentials } from '../transports/problems.ts';
import { answerHeaders } from './attempts.ts';

const noLogin = [loginRequired, invalidToken, invalidDpopProof.resource, dpopNonceRequired.resource];

/** What `openapi.yaml` says besides the routes. */
export const documentTexts: DocumentTexts = {
  info: {
    title: 'idcard',
    version: packageJson.version,
    description:
      'A stateless login API: signed tokens, by bearer header or by cookie. Errors are RFC 9457 problems. Every ' +
      'answer has an X-Request-Id, by which the log of the server finds the request.',
    license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
  },
  tags: [
    { name: 'Login', description: 'Get tokens, renew them, give them up.' },
    { name: 'Account', description: 'The user who is logged in.' },
    { name: 'Verification', description: 'For services and proxies that trust this issuer.' },
    { name: 'Metadata', description: 'What a verifier needs to know.' },
    { name: 'Operations', description: 'For the platform it runs on.' },
  ],
  security: [{ bearer: [] }, { dpop: [] }, { cookie: [] }],
  securitySchemes: {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'The access token in the Authorization header (RFC 6750).',
    },
    dpop: {
      type: 'http',
      scheme: 'DPoP',
      description: 'An access token bound to a key, with a proof in the DPoP header (RFC 9449).',
    },
    cookie: {
      type: 'apiKey',
      in: 'cookie',
      name: '__Host-access',
      description:
        'The access token in a cookie that a browser keeps, set by a login with transport "cookie". Where PUBLIC_URL ' +
        'is http on this machine, for development, its name is `access` and it is not Secure; so it is with the other cookies.',
    },
  },
  lockedProblems: [severalCredentials, ...noLogin],
  sharedFailures: {
    InvalidRequest: { problems: [invalidRequest] },
    InvalidRequestOrCredentials: { problems: [invalidRequest, severalCredentials] },
    NoLogin: { problems: noLogin },
    CookiesRefused: { problems: [cookiesNeedHttps, crossSite] },
    PayloadTooLarge: { problems: [payloadTooLarge] },
    UnsupportedMediaType: { problems: [unsupportedMediaType] },
    TooManyRequests: { problems: [tooManyRequests], headers: answerHeaders },
    InternalError: { problems: [internalError] },
    Unavailable: { problems: [unavailable] },
    OverloadedOrUnavailable: { problems: [overloaded, unavailable], headers: answerHeaders },
  },
};
