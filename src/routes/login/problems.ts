import { define } from '../../problems/define.ts';

export const refreshTokenRequired = define(
  401,
  'refresh-token-required',
  'Refresh token required',
  'Send the refresh token as "refresh_token" in a JSON body, or its cookie.',
  { challenge: null },
);

export const registrationClosed = define(
  403,
  'registration-closed',
  'Registration closed',
  'Accounts are created by the operator alone: REGISTRATION is closed here.',
);
