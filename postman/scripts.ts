/* What Postman runs before a request and after its answer. */

/** Once for all requests: the tokens of an answer are those of the next request. */
export const KEEP_TOKENS = `
if (/^application\\/json/.test(pm.response.headers.get('Content-Type'))) {
  const { access_token, refresh_token } = pm.response.json();
  if (access_token) pm.environment.set('access_token', access_token);
  if (refresh_token) pm.environment.set('refresh_token', refresh_token);
}`;

export function expectStatus(status: number): string {
  return `pm.test('answers ${status}', () => pm.response.to.have.status(${status}));`;
}

const NEW_USER = `
pm.environment.set('email', pm.variables.replaceIn('{{$randomUUID}}@example.com'));
pm.environment.set('password', pm.variables.replaceIn('{{$randomUUID}}'));`;

const NEW_PASSWORD = `
pm.environment.set('new_password', pm.variables.replaceIn('{{$randomUUID}}'));`;

const KEEP_PASSWORD = `
if (pm.response.code === 200) pm.environment.set('password', pm.environment.get('new_password'));`;

const EXPECT_THE_USER = `
pm.test('is the user who registered', () => pm.expect(pm.response.json().email).to.equal(pm.environment.get('email')));`;

/** By \`operationId\`. */
export const BEFORE: Record<string, string> = { register: NEW_USER, changePassword: NEW_PASSWORD };
export const AFTER: Record<string, string> = { changePassword: KEEP_PASSWORD, getMe: EXPECT_THE_USER };

/** What stands in a request in place of the example, by the name of the field. */
export const FIELDS: Record<string, string> = {
  email: '{{email}}',
  password: '{{password}}',
  current_password: '{{password}}',
  new_password: '{{new_password}}',
  refresh_token: '{{refresh_token}}',
};
