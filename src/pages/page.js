/* Runs in the browser. Tokens are kept in the memory of the page: a reload forgets them. */

/** The answers of these routes decide which login the page has from then on. */
const LOGIN_ROUTES = ['v1/login', 'v1/refresh', 'v1/me/password', 'v1/logout', 'v1/logout-everywhere'];

const HELP = `

Register, then log in with \`POST /v1/login\`: its tokens stand in for those of the examples from then on. With transport
"cookie" the browser keeps the login instead. The document itself: [openapi.yaml](openapi.yaml).`;

const dark = matchMedia('(prefers-color-scheme: dark)');
followSystem();
dark.addEventListener('change', followSystem);

const spec = forPage(await (await fetch('openapi.json')).json());
const exampleToken =
  spec.paths['/v1/refresh'].post.requestBody.content['application/json'].examples.bearer.value.refresh_token;
let refreshToken = '';

const ui = globalThis.SwaggerUIBundle({
  spec,
  dom_id: '#docs',
  queryConfigEnabled: false, // no link may name another document, whose text would stand here as idcard's
  validatorUrl: 'none', // no other service learns which servers there are
  persistAuthorization: false,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  requestInterceptor(request) {
    const { body, headers } = request;
    if (refreshToken && typeof body === 'string') request.body = body.replace(exampleToken, refreshToken);
    // Without this, the cookies of an earlier login would be a second credential, which is refused.
    if (headers.Authorization || request.body !== body) request.credentials = 'omit';
    return request;
  },
  responseInterceptor(response) {
    if (response.ok && isLoginRoute(response.url)) followLogin(response.body);
    return response;
  },
});

function followSystem() {
  document.documentElement.classList.toggle('dark-mode', dark.matches); // the class of Swagger's style sheet
}

/** Only the bearer token is typed in: the browser brings cookies by itself, and this page makes no DPoP proofs. */
function forPage(document) {
  const { info, components } = document;
  const { bearer } = components.securitySchemes;
  return {
    ...document,
    info: { ...info, description: info.description + HELP },
    security: [{ bearer: [] }],
    components: { ...components, securitySchemes: { bearer } },
  };
}

/** Routes are below the path of this page, which is not the root where idcard shares a host. */
function isLoginRoute(address) {
  const { origin, pathname } = new URL(address);
  return LOGIN_ROUTES.some((route) => new URL(route, document.baseURI).href === origin + pathname);
}

/** The next requests have the tokens of the answer. Without tokens, the login is in cookies, or there is none. */
function followLogin(tokens) {
  refreshToken = tokens?.refresh_token ?? '';
  if (refreshToken) ui.preauthorizeApiKey('bearer', tokens.access_token);
  else ui.authActions.logout(['bearer']);
}
