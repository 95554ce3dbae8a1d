import { define } from './define.ts';

/* Problems that several rooms throw. */

export const invalidToken = define(401, 'invalid-token', 'Invalid token', 'The token is not valid.', {
  challenge: 'invalid_token',
});

export const internalError = define(
  500,
  'internal-error',
  'Internal error',
  'Something went wrong on our side; the log says what.',
);

export const unavailable = define(
  503,
  'unavailable',
  'Unavailable',
  'The user directory cannot be reached right now; tokens are still verified.',
);
