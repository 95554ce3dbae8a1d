import { describe } from 'vitest';
import type { User } from '../../src/users/user.ts';
import type { NewUser, UserChanges, UserCondition, UserDirectory } from '../../src/users/user-directory.ts';
import { ADA, addUser, bearer, logIn } from '../support/app.ts';
import { expect, startIdcard, test } from '../support/idcard.ts';

/** As a program may write one: its methods are on the prototype, and need `this`. */
class Shelter implements UserDirectory {
  #inner: UserDirectory;
  constructor(inner: UserDirectory) {
    this.#inner = inner;
  }
  findByEmail(email: string): Promise<User | undefined> {
    return this.#inner.findByEmail(email);
  }
  findById(id: string): Promise<User | undefined> {
    return this.#inner.findById(id);
  }
  add(user: NewUser): Promise<User> {
    return this.#inner.add(user);
  }
  update(id: string, changes: UserChanges, condition?: UserCondition): Promise<User | undefined> {
    return this.#inner.update(id, changes, condition);
  }
  updateAndVoidTokens(
    id: string,
    changes: UserChanges,
    condition?: UserCondition,
  ): Promise<User | undefined> {
    return this.#inner.updateAndVoidTokens(id, changes, condition);
  }
  raisedSince(sinceSeconds: number) {
    return this.#inner.raisedSince(sinceSeconds);
  }
  close(): Promise<void> {
    return this.#inner.close();
  }
}

describe('a directory that is a class', () => {
  test('serves every route, and what is voided by one is void at once', async () => {
    const idcard = await startIdcard({ directory: (real) => new Shelter(real) as never });
    const answer = await idcard.post('/v1/register', ADA);
    expect(answer.statusCode).toBe(201);
    const { access_token, refresh_token } = await logIn(idcard);
    expect((await idcard.get('/v1/me', bearer(access_token))).statusCode).toBe(200);
    expect((await idcard.post('/v1/refresh', { refresh_token })).statusCode).toBe(200);
    const changed = await idcard.put(
      '/v1/me/password',
      { current_password: ADA.password, new_password: 'seven quiet owls over Porto' },
      bearer(access_token),
    );
    expect(changed.statusCode).toBe(200);
    expect(await idcard.get('/v1/verify', bearer(access_token))).toBeProblem('invalid-token');
    const renewed = changed.json().access_token;
    expect((await idcard.post('/v1/logout-everywhere', {}, bearer(renewed))).statusCode).toBe(204);
    expect(await idcard.get('/v1/verify', bearer(renewed))).toBeProblem('invalid-token');
    expect((await idcard.get('/readyz')).statusCode).toBe(200);
  });

  test('is closed with the app', async () => {
    let closed = 0;
    const idcard = await startIdcard({
      directory: (real) => {
        const shelter = new Shelter(real);
        shelter.close = async () => {
          closed++;
          await real.close();
        };
        return shelter as never;
      },
    });
    await addUser(idcard);
    await idcard.close();
    expect(closed).toBe(1);
  });
});
