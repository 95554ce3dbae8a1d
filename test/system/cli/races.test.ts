import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { readConfig } from '../../../src/config/config.ts';
import { openDatabase } from '../../../src/database/index.ts';
import { createHasher } from '../../../src/factors/passwords/hasher.ts';
import { createDirectory, type Directory } from '../../../src/users/directory.ts';
import type { User } from '../../../src/users/user.ts';
import { ADA } from '../../support/app.ts';
import { newDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/process.ts';

/** What another operator does after a command has read the user, and before it writes. */
let meanwhile: (() => Promise<unknown>) | undefined;

vi.mock('../../../src/users/open-directory.ts', async (original) => {
  const real = await original<typeof import('../../../src/users/open-directory.ts')>();
  return {
    async openDirectory(...args: Parameters<typeof real.openDirectory>): Promise<Directory> {
      const directory = await real.openDirectory(...args);
      return {
        ...directory,
        async findByEmail(email) {
          const user = await directory.findByEmail(email);
          const act = meanwhile;
          meanwhile = undefined;
          await act?.();
          return user;
        },
      };
    },
  };
});

vi.mock('../../../src/cli/password-input.ts', () => ({ readNewPassword: async () => [ADA.password] }));

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['SQLite', 'PostgreSQL'] as const)('of two operators at once on %s', (database) => {
  let url: string;
  let other: Directory;
  let ada: User;
  beforeEach(async () => {
    url = database === 'SQLite' ? `sqlite:${folder}/${crypto.randomUUID()}` : await newDatabase();
    other = createDirectory(await openDatabase(url), systemClock);
    ada = await other.add({ email: ADA.email, passwordHash: null, roles: ['author'] });
    vi.spyOn(console, 'log').mockReturnValue();
  });
  afterEach(() => other.close());

  function idcard(...args: string[]): Promise<void> {
    return runProgram(['node', 'idcard', 'users', ...args], { DATABASE_URL: url });
  }

  const now = () => other.findById(ada.id);

  test('one cannot take a role that the other gave without voiding tokens', async () => {
    meanwhile = () => other.update(ada.id, { roles: ['author', 'admin'] });
    await idcard('set-roles', ADA.email, 'author');
    expect(await now()).toMatchObject({ roles: ['author'], tokenVersion: 2 });
  });

  test('one who gives a role does not bring back another that was taken', async () => {
    meanwhile = () => other.updateAndVoidTokens(ada.id, { roles: [] });
    await idcard('set-roles', ADA.email, 'author', 'editor');
    expect(await now()).toMatchObject({ roles: ['author', 'editor'], tokenVersion: 2 });
  });

  test('one sets no password that the other has just set', async () => {
    const passwordHash = await createHasher(readConfig({}).passwords.argon2).hash(ADA.password);
    meanwhile = () => other.updateAndVoidTokens(ada.id, { passwordHash });
    await expect(idcard('set-password', ADA.email)).rejects.toThrow('Must differ from the current password');
    expect(await now()).toMatchObject({ passwordHash, tokenVersion: 2 });
  });

  test('one sets a password of a user whom the other has disabled, who stays disabled', async () => {
    meanwhile = () => other.updateAndVoidTokens(ada.id, { status: 'disabled' });
    await idcard('set-password', ADA.email);
    expect(await now()).toMatchObject({ status: 'disabled', tokenVersion: 3 });
  });

  test.each([['set-roles', 'admin'], ['set-password'], ['disable'], ['enable'], ['verify'], ['delete']])(
    'one who runs %s on a user whom the other deletes is told so, and the user stays deleted',
    async (command, ...args) => {
      meanwhile = () => other.remove(ada.id);
      await expect(idcard(command, ADA.email, ...args)).rejects.toThrow('There is no user with this email');
      expect(await now()).toMatchObject({
        email: ada.id,
        emailVerified: false,
        passwordHash: null,
        roles: [],
        status: 'deleted',
        tokenVersion: 2,
      });
    },
  );
});
