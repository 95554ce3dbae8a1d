import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { Problem } from '../../../src/problems/problem.ts';
import { createDirectory, type Directory } from '../../../src/users/directory.ts';
import { START } from '../../support/app.ts';
import { newDatabase } from '../../support/postgres.ts';

const ADA = { email: 'ada@example.com', passwordHash: 'hash of ada', roles: ['admin', 'author'] };
const BOB = { email: 'bob@example.com', passwordHash: null, roles: [] };

const databases = {
  SQLite: async () => openDatabase('sqlite::memory:'),
  PostgreSQL: async () => openDatabase(await newDatabase()),
};

describe.each(Object.entries(databases))('on %s', (_name, openNew) => {
  let directory: Directory;
  beforeEach(async () => {
    directory = createDirectory(await openNew(), () => START);
  });
  afterEach(() => directory.close());

  describe('a user who is added', () => {
    test('is active, of token version 1, with a UUIDv7 and the time', async () => {
      expect(await directory.add(ADA)).toEqual({
        ...ADA,
        id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
        emailVerified: false,
        status: 'active',
        tokenVersion: 1,
        createdAtSeconds: START,
      });
    });

    test('is found by email and by id', async () => {
      const ada = await directory.add(ADA);
      await directory.add(BOB);
      expect(await directory.findByEmail(ADA.email)).toEqual(ada);
      expect(await directory.findById(ada.id)).toEqual(ada);
    });

    test('is not found by anything else', async () => {
      await directory.add(ADA);
      for (const email of ['bob@example.com', '', 'ada@example.com ', 'a%@example.com', "' OR 1=1 --"]) {
        expect(await directory.findByEmail(email)).toBeUndefined();
      }
      expect(await directory.findById("x' OR '1'='1")).toBeUndefined();
    });

    test('takes the email: a second one is refused and the first one stays', async () => {
      const ada = await directory.add(ADA);
      const second = directory.add({ ...ADA, passwordHash: 'another' });
      await expect(second).rejects.toThrow(Problem);
      await expect(second).rejects.toMatchObject({ kind: { slug: 'email-taken', status: 409 } });
      expect(await directory.list('', 10)).toEqual([ada]);
    });

    test('a hundred times at once is there once', async () => {
      const results = await Promise.allSettled(Array.from({ length: 100 }, () => directory.add(ADA)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await directory.list('', 200)).toHaveLength(1);
    });

    test('may have quotes, line breaks and emoji in every text', async () => {
      const odd = {
        email: 'o\'brien"@example.com',
        passwordHash: "'); DROP TABLE users; --",
        roles: ['"\n🦦'],
      };
      const user = await directory.add(odd);
      expect(await directory.findById(user.id)).toMatchObject(odd);
    });
  });

  describe('a change', () => {
    test('without voiding keeps the token version and whatever is not named', async () => {
      const ada = await directory.add(ADA);
      const changed = await directory.update(ada.id, { roles: ['author'] });
      expect(changed).toEqual({ ...ada, roles: ['author'] });
      expect(await directory.findById(ada.id)).toEqual(changed);
    });

    test('that voids tokens raises the token version by one, each time', async () => {
      const { id } = await directory.add(ADA);
      const disabled = await directory.updateAndVoidTokens(id, { status: 'disabled', passwordHash: 'new' });
      expect(disabled).toMatchObject({ status: 'disabled', passwordHash: 'new', tokenVersion: 2 });
      expect(await directory.updateAndVoidTokens(id, {})).toEqual({ ...disabled, tokenVersion: 3 });
    });

    test('made fifty times at once raises the token version by fifty', async () => {
      const { id } = await directory.add(ADA);
      await Promise.all(Array.from({ length: 50 }, () => directory.updateAndVoidTokens(id, {})));
      expect((await directory.findById(id))?.tokenVersion).toBe(51);
    });

    test('touches one user alone', async () => {
      const ada = await directory.add(ADA);
      const bob = await directory.add(BOB);
      await directory.updateAndVoidTokens(ada.id, { status: 'disabled', roles: [], passwordHash: 'new' });
      expect(await directory.findById(bob.id)).toEqual(bob);
    });

    test('to nobody changes nobody', async () => {
      const ada = await directory.add(ADA);
      expect(await directory.updateAndVoidTokens('nobody', { status: 'disabled' })).toBeUndefined();
      expect(await directory.list('', 10)).toEqual([ada]);
    });
  });

  describe('a change on a condition', () => {
    test('happens while the condition is met', async () => {
      const { id } = await directory.add(ADA);
      const byHash = await directory.update(id, { passwordHash: 'two' }, { passwordHash: ADA.passwordHash });
      expect(byHash?.passwordHash).toBe('two');
      const byVersion = await directory.updateAndVoidTokens(
        id,
        { passwordHash: 'three' },
        { tokenVersion: 1 },
      );
      expect(byVersion).toMatchObject({ passwordHash: 'three', tokenVersion: 2 });
    });

    test.each([
      ['the hash is another one', { passwordHash: 'older' }],
      ['the token version is another one', { tokenVersion: 2 }],
      ['only the hash is right', { passwordHash: ADA.passwordHash, tokenVersion: 2 }],
      ['only the token version is right', { passwordHash: 'older', tokenVersion: 1 }],
    ])('does not happen when %s', async (_why, condition) => {
      const ada = await directory.add(ADA);
      expect(await directory.update(ada.id, { passwordHash: 'new' }, condition)).toBeUndefined();
      expect(await directory.updateAndVoidTokens(ada.id, {}, condition)).toBeUndefined();
      expect(await directory.findById(ada.id)).toEqual(ada);
    });

    test('made by ten at once under one token version is made by one of them', async () => {
      const { id } = await directory.add(ADA);
      const changes = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          directory.updateAndVoidTokens(id, { passwordHash: `hash ${index}` }, { tokenVersion: 1 }),
        ),
      );
      const made = changes.filter((user) => user !== undefined);
      expect(made).toHaveLength(1);
      expect(await directory.findById(id)).toEqual(made[0]);
    });
  });

  describe('the list', () => {
    test('has every user once, oldest first, page by page', async () => {
      const added: string[] = [];
      for (let index = 0; index < 7; index++) {
        added.push((await directory.add({ ...BOB, email: `user${index}@example.com` })).id);
        await sleep(2); // ids of one millisecond are in no order
      }
      const first = await directory.list('', 3);
      const second = await directory.list(first.at(-1)?.id ?? '', 3);
      const third = await directory.list(second.at(-1)?.id ?? '', 3);
      expect([first.length, second.length, third.length]).toEqual([3, 3, 1]);
      expect([...first, ...second, ...third].map(({ id }) => id)).toEqual(added);
    });

    test('is empty without users', async () => {
      expect(await directory.list('', 10)).toEqual([]);
    });
  });

  describe('a deleted user', () => {
    test('is gone, frees the email, and is heard of by whoever asks for raised versions', async () => {
      const ada = await directory.add({ ...ADA, email: 'gone@example.com' });
      expect(await directory.remove(ada.id)).toBe(true);
      expect(await directory.findByEmail('gone@example.com')).toBeUndefined();
      expect(await directory.findById(ada.id)).toMatchObject({
        status: 'deleted',
        passwordHash: null,
        roles: [],
      });
      expect((await directory.list('', 1000)).map(({ id }) => id)).not.toContain(ada.id);
      expect(await directory.raisedSince(0)).toContainEqual(expect.objectContaining({ sub: ada.id, ver: 2 }));
      expect((await directory.add({ ...ADA, email: 'gone@example.com' })).id).not.toBe(ada.id);
    });

    test('is deleted once', async () => {
      const { id } = await directory.add({ ...ADA, email: 'once@example.com' });
      expect([await directory.remove(id), await directory.remove(id), await directory.remove('x')]).toEqual([
        true,
        false,
        false,
      ]);
    });
  });
});
