import { type Forgery, rows } from '../forgery.ts';

const THIRTY_DAYS = 2_592_000;

/** Refresh tokens under our own signature that the user's row or the login's age refuses. */
export const refusedByTheUser: Forgery[] = [
  ...rows('RFC 9700 §4.14', {
    'an older token version': ({ token }) => token('refresh', { ver: 0 }),
    'a newer token version': ({ token }) => token('refresh', { ver: 2 }),
    'a user who is not there': ({ token }) => token('refresh', { sub: 'nobody' }),
    'an auth_time of 30 days ago': ({ token, now }) => token('refresh', { auth_time: now() - THIRTY_DAYS }),
    'an auth_time of 1970': ({ token }) => token('refresh', { auth_time: 0 }),
  }),
  ...rows('CWE-89', {
    'SQL for a subject': ({ token }) => token('refresh', { sub: "' OR 1=1 --" }),
    'a pattern for a subject': ({ token }) => token('refresh', { sub: '%' }),
  }),
];
