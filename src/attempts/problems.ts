import { define } from '../problems/define.ts';

export const tooManyRequests = define(
  429,
  'too-many-requests',
  'Too many requests',
  'Too many attempts; try again after the seconds in Retry-After.',
  // A guessing attack must not vanish from the log once it is slowed down.
  { event: 'attempts.limited' },
);

export const overloaded = define(
  503,
  'overloaded',
  'Overloaded',
  'Too many passwords wait to be checked; try again after the seconds in Retry-After.',
  // The event is a warning, without a stack: a flood would write a stack for each attempt.
  { event: 'attempts.turned-away' },
);
