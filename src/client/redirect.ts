/**
 * Does what `redirect: 'error'` does, which workerd does not know. A browser shows a redirect that was not followed as a response
 * of the type `opaqueredirect`; other platforms show the redirect itself.
 * @throws TypeError, as `fetch` would
 */
export function refuseRedirect(response: Response): Response {
  if (response.type !== 'opaqueredirect' && !/30[12378]/.test(`${response.status}`)) return response;
  throw new TypeError('The answer is a redirect.');
}
