import type { Directory } from '../../src/users/directory.ts';
import type { User } from '../../src/users/user.ts';
import { ADA, addUser, bearer, logIn } from '../support/app.ts';
import { describe, expect, startIdcard, test } from '../support/idcard.ts';

/** A directory whose users are other than ours could be, as one that a program brings may have them. */
const withUsers =
  (other: Partial<User>) =>
  (directory: Directory): Directory => ({
    ...directory,
    async findByEmail(email) {
      const user = await directory.findByEmail(email);
      return user && { ...user, ...other };
    },
  });

/** The answer to the token of a user who has these properties. */
async function verify(other: Partial<User>, method: 'GET' | 'HEAD' = 'GET', query = '') {
  const idcard = await startIdcard({ directory: withUsers(other) });
  await addUser(idcard);
  const headers = bearer((await logIn(idcard)).access_token);
  return idcard.app.inject({ method, url: `/v1/verify${query}`, headers });
}

describe('what the directory says stands in the headers of the answer, whatever it is', () => {
  test.each([
    ['a UUID', '0199b1e0-7b3a-7c55-8f0e-2f8f8a3b5a11', '0199b1e0-7b3a-7c55-8f0e-2f8f8a3b5a11'],
    ['signs', "a+b@c.example;d='e',f/g", "a+b@c.example;d='e',f/g"],
    ['a percent sign', '100%25', '100%2525'],
    ['another script', 'ада', '%D0%B0%D0%B4%D0%B0'],
    ['Latin-1, which Node would send as one byte', 'é', '%C3%A9'],
    ['a blank at the end, which a parser takes off', ' a b ', '%20a%20b%20'],
    ['a line break', 'a\r\nX-Auth-Roles: admin', 'a%0D%0AX-Auth-Roles:%20admin'],
    ['controls', '\u0000\u007f\u0085', '%00%7F%C2%85'],
    ['a pair of surrogates', '🪪', '%F0%9F%AA%AA'],
    ['a lone surrogate', 'a\ud800', 'a%EF%BF%BD'],
  ])('a subject with %s', async (_, id, header) => {
    const answer = await verify({ id });
    expect([answer.statusCode, answer.headers['x-auth-subject']]).toEqual([200, header]);
    expect(answer.json().sub).toBe(id);
  });

  test.each([
    ['none', [], ''],
    ['ordinary ones', ['admin', 'shop:read_all.v-2'], 'admin,shop:read_all.v-2'],
    ['another script', ['admin', 'ролі'], 'admin,%D1%80%D0%BE%D0%BB%D1%96'],
    ['a comma', ['a,admin'], 'a%2Cadmin'],
    ['a line break', ['a\nb', 'admin'], 'a%0Ab,admin'],
    ['a percent sign', ['a%2Cb'], 'a%252Cb'],
    ['a lone surrogate', ['\udfff', 'a'], '%EF%BF%BD,a'],
  ])('roles: %s', async (_, roles, header) => {
    const answer = await verify({ roles });
    expect([answer.statusCode, answer.headers['x-auth-roles']]).toEqual([200, header]);
    expect(answer.json().roles).toEqual(roles);
  });

  test('an answer to HEAD has them as well, and no body', async () => {
    const answer = await verify({ id: 'ї', roles: ['a,b'] }, 'HEAD');
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect(answer.headers).toMatchObject({ 'x-auth-subject': '%D1%97', 'x-auth-roles': 'a%2Cb' });
  });
});

describe('no token is issued that nobody would take', () => {
  test.each([
    ['an empty id', { id: '' }, 'sub'],
    ['a number for an id', { id: 42 as never }, 'sub'],
    ['a role that is no text', { roles: ['a', 7 as never] }, 'roles.1'],
    ['a token version that is no whole number', { tokenVersion: 1.5 }, 'ver'],
  ])('for a user with %s', async (_, other, claim) => {
    const idcard = await startIdcard({ directory: withUsers(other) });
    await addUser(idcard);
    expect(await idcard.post('/v1/login', ADA)).toBeProblem('internal-error');
    expect(idcard.logText()).toContain(`The claim ${claim} cannot be issued`);
  });
});

describe('GET /v1/verify?role=', () => {
  const ask = (query: string, roles = ['staff', 'editor']) => verify({ roles }, 'GET', query);

  test.each([
    ['?role=staff', ['staff', 'editor']],
    ['?role=editor', ['staff', 'editor']],
    ['?role=admin&role=staff', ['staff']],
    ['?role=staff&max_age=300', ['staff']],
    ['?role=%D1%80%D0%BE%D0%BB%D1%96', ['ролі']],
    ['?role=a%2Cb', ['a,b']],
    ['?role=a+b', ['a b']],
    ['?role=Staff', ['Staff']],
    ['', []],
  ])('%s lets a user with %j through', async (query, roles) => {
    expect((await ask(query, roles)).statusCode).toBe(200);
  });

  test.each([
    ['?role=admin', ['staff', 'editor']],
    ['?role=admin&role=owner', ['staff']],
    ['?role=staff', []],
    ['?role=staff', ['Staff', 'staffer', 'sta', ' staff']],
    ['?role=staff,editor', ['staff', 'editor']],
    ['?role=toString', ['staff']],
    ['?role=length', ['staff']],
    ['?role=admin&max_age=300', ['staff']],
  ])('%s refuses a user with %j: 403 role-required', async (query, roles) => {
    const answer = await ask(query, roles);
    expect(answer).toBeProblem('role-required');
    expect(answer.headers).not.toHaveProperty('x-auth-subject');
  });

  test.each([
    ['?role=', '#/role', 'Must have 1 to 256 characters.'],
    ['?role', '#/role', 'Must have 1 to 256 characters.'],
    ['?role=staff&role=', '#/role/1', 'Must have 1 to 256 characters.'],
    [`?role=${'x'.repeat(257)}`, '#/role', 'Must have 1 to 256 characters.'],
    ['?roles=staff', '#/roles', expect.stringMatching(/^There is no such field; /)],
    ['?role[]=staff', '#/role%5B%5D', expect.stringMatching(/^There is no such field; /)],
    ['?ROLE=staff', '#/ROLE', expect.stringMatching(/^There is no such field; /)],
  ])('%s is malformed, and the field is named', async (query, pointer, detail) => {
    expect(await ask(query)).toBeProblem('invalid-request', { errors: [{ pointer, detail }] });
  });

  test('tells nobody without a token whether there is such a role', async ({ idcard }) => {
    expect(await idcard.get('/v1/verify?role=staff')).toBeProblem('login-required');
  });
});
