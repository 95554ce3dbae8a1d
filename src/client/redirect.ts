/**
 * What `redirect: 'error'` would do, which workerd does not know: a browser shows a redirect that was not followed as an
 * answer of a type of its own, other platforms as it came.
 * @throws TypeError, as `fetch` would
 */
export function refuseRedirect(response: Response): Response {
  if (response.type !== 'opaqueredirect' && !/30[12378]/.test(`${response.status}`)) return response;
  throw new TypeError('The answer is a redirect.');
}
