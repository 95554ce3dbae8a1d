import { unavailable } from '../../src/problems/general.ts';
import { ADA } from '../support/app.ts';
import { expect, startIdcard, test } from '../support/idcard.ts';

/* Routes and directories of programs that embed idcard may hand on any text as a header. */

test.for([
  ['a header in another script', 'x-who', 'ада'],
  ['a header with a line break', 'x-who', 'a\r\nx-admin: true'],
  ['a list of which one is bad', 'set-cookie', ['a=1', 'b=\n']],
  ['a bad name', 'x who', 'ada'],
] as const)(
  '%s is a problem document, with the headers of every answer, and told in the log',
  async ([, name, value], { idcard }) => {
    idcard.app.get('/own', async (_request, reply) =>
      reply.header('x-good', 'yes').header(name, value).send('ok'),
    );
    const origin = await idcard.app.listen({ host: '127.0.0.1', port: 0 });
    const answer = await fetch(`${origin}/own`);
    expect(answer.status).toBe(500);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await answer.json()).toMatchObject({ type: 'urn:idcard:problem:internal-error', status: 500 });
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect([answer.headers.get('x-who'), answer.headers.get('x-admin')]).toEqual([null, null]);
    idcard.expectEvents('request.failed');
  },
);

test('a problem with such a header is one of its own', async () => {
  const idcard = await startIdcard({
    directory: (real) => ({
      ...real,
      findByEmail: async () => {
        throw unavailable({ headers: { 'x-why': 'обід' } });
      },
    }),
  });
  const answer = await idcard.post('/v1/login', ADA);
  expect(answer).toBeProblem('internal-error');
});
