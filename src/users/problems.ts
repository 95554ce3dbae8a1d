import { define } from '../problems/define.ts';

export const emailTaken = define(
  409,
  'email-taken',
  'Email taken',
  'There is already a user with this email.',
);
