import { describe, expect, test } from 'vitest';
import { Role } from '../../src/users/user.ts';

describe('a role', () => {
  test.each(['admin', 'a', '0', 'team:billing', 'read.all', 'a_b-c', 'x'.repeat(32)])('may be %s', (role) => {
    expect(Role.parse(role)).toBe(role);
  });

  test.each(['', 'Admin', '-a', ':a', 'a b', 'a,b', 'a\n', 'a\r\nx: y', 'é', 'x'.repeat(33)])(
    'may not be %j',
    (role) => {
      expect(Role.safeParse(role).success).toBe(false);
    },
  );
});
