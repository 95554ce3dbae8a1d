import { invalidToken } from '../../src/problems/general.ts';
import { insufficientScope } from '../../src/verifier/problems.ts';
import { expect, test } from '../support/idcard.ts';

test.for([
  ['a quotation mark', 'say "no", realm="x', 'say no, realm=x'],
  ['a backslash', 'a\\', 'a'],
  ['a line break', 'a\r\nset-cookie: b', 'aset-cookie: b'],
  ['another script', 'ні, no', ', no'],
] as const)(
  'a description with %s cannot leave its parameter, and stands whole in the body',
  async ([, detail, quoted], { idcard }) => {
    idcard.app.get('/own', async () => {
      throw invalidToken({ detail });
    });
    const answer = await idcard.get('/own');
    expect(answer).toBeProblem('invalid-token', { detail });
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="idcard", error="invalid_token", error_description="${quoted}", DPoP realm="idcard", algs="ES256 EdDSA"`,
    );
  },
);

test('the other parameters are held to the same', async ({ idcard }) => {
  idcard.app.get('/own', async () => {
    throw insufficientScope({ challenge: { scope: 'a", realm="b' } });
  });
  const answer = await idcard.get('/own');
  expect(answer.headers['www-authenticate']).toContain('scope="a, realm=b", DPoP');
});
