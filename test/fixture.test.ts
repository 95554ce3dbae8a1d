import { ADA } from './support/app.ts';
import { expect, test } from './support/idcard.ts';

test('an answer is one problem and no other, with its status, its media type and what it says', async ({
  idcard,
}) => {
  const detail = 'The token is not valid.';
  const answer = {
    statusCode: 401,
    headers: { 'content-type': 'application/problem+json; charset=utf-8' },
    body: JSON.stringify({ type: 'urn:idcard:problem:invalid-token', status: 401, detail }),
  };
  expect(answer).toBeProblem('invalid-token');
  expect(answer).toBeProblem('invalid-token', { detail });
  expect(answer).not.toBeProblem('login-required');
  expect(answer).not.toBeProblem('invalid-token', { detail: 'Another.' });
  expect(answer).not.toBeProblem('invalid-token', { status: 400 });
  expect({ ...answer, statusCode: 400 }).not.toBeProblem('invalid-token');
  expect({ ...answer, headers: {} }).not.toBeProblem('invalid-token');
  expect(await idcard.get('/livez')).not.toBeProblem('invalid-token');
});

test('the events since the last look are these and no other, in this order', async ({ idcard, ada }) => {
  idcard.expectEvents();
  await idcard.post('/v1/login', ADA);
  await idcard.post('/v1/login', { ...ADA, password: 'violet otters play go' });
  expect(() => idcard.expectEvents('login.succeeded')).toThrow();
  idcard.expectEvents();
  await idcard.post('/v1/login', ADA);
  await idcard.post('/v1/logout');
  idcard.expectEvents({ event: 'login.succeeded', sub: ada.id }, 'logout');
  await idcard.post('/v1/logout');
  expect(() => idcard.expectEvents('login.succeeded')).toThrow();
  expect(() => idcard.expectEvents('logout')).toThrow();
});
