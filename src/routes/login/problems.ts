import { define } from '../../problems/define.ts';

export const registrationClosed = define(
  403,
  'registration-closed',
  'Registration closed',
  'Accounts are created by the operator alone: REGISTRATION is closed here.',
);
