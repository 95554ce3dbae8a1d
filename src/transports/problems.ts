import { define } from '../problems/define.ts';

export const severalCredentials = define(
  400,
  'several-credentials',
  'Several credentials',
  'Send one credential: either one Authorization header or one cookie or one body field.',
  { challenge: 'invalid_request' },
);

export const loginRequired = define(
  401,
  'login-required',
  'Login required',
  'Send an access token as "Authorization: Bearer <token>" or log in with cookies.',
  { challenge: null },
);

export const refreshTokenRequired = define(
  401,
  'refresh-token-required',
  'Refresh token required',
  'Send the refresh token as "refresh_token" in a JSON body, or its cookie.',
  { challenge: null },
);

export const crossSite = define(
  403,
  'cross-site-request',
  'Cross-site request',
  'Requests with cookies must come from a page of this origin, or of one that the operator lists in ALLOWED_ORIGINS.',
);

export const cookiesNeedHttps = define(
  403,
  'cookies-need-https',
  'Cookies need https',
  'This server is reached over http, where anybody on the way could take a cookie: send no cookies, and log in with transport "bearer".',
);
