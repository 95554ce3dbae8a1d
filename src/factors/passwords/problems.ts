import { define } from '../../problems/define.ts';

export const weakPassword = define(
  400,
  'weak-password',
  'Password refused',
  'The new password is refused; errors says why.',
);

export const invalidCredentials = define(
  401,
  'invalid-credentials',
  'Invalid credentials',
  'The email or the password is wrong.',
  { challenge: null },
);

export const wrongPassword = define(
  403,
  'wrong-password',
  'Wrong password',
  'The current password is wrong.',
);
