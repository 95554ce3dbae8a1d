import { BOB } from '../../support/app.ts';

/** What `Sec-Fetch-Site` says of a page that is not of the own origin. */
export type Reach = 'cross-site' | 'same-site';

/** Something that a hostile page does. */
export interface Attempt {
  name: string;
  /** Runs in the page as a function of `server`; what it returns, or promises, is all that the page has learnt. */
  script: string;
  /** What arrives at the server, and how it is answered. */
  arrives: Record<Reach, string[]>;
  /** Whether a browser lets it happen only where the user has clicked. */
  needsClick?: boolean;
  /** How many frames are inside the page in the end, which show nothing of the answer. */
  frames?: number;
}

const ATTACKERS_LOGIN = { ...BOB, transport: 'cookie' };
const NEW_PASSWORD = { current_password: BOB.password, new_password: BOB.password, _method: 'PUT' };

/** Where the forms go, and what they are answered: cookies travel with them from the same site alone. */
const formTargets: { path: string; fields: Record<string, string>; arrives: Attempt['arrives'] }[] = [
  {
    path: '/v1/logout-everywhere',
    fields: {},
    arrives: {
      'cross-site': ['POST /v1/logout-everywhere 401'],
      'same-site': ['POST /v1/logout-everywhere 403 with cookies'],
    },
  },
  { path: '/v1/logout', fields: {}, arrives: refused('POST /v1/logout 415') },
  { path: '/v1/me/password', fields: NEW_PASSWORD, arrives: refused('POST /v1/me/password 405') },
  { path: '/v1/login', fields: ATTACKERS_LOGIN, arrives: refused('POST /v1/login 415') },
];

/** The same answer whether cookies came along or not. */
function refused(line: string): Attempt['arrives'] {
  return { 'cross-site': [line], 'same-site': [`${line} with cookies`] };
}

const forms: Attempt[] = formTargets.flatMap(({ path, fields, arrives }) => [
  ...['application/x-www-form-urlencoded', 'multipart/form-data'].map((enctype) => ({
    name: `a form to ${path}, ${enctype}`,
    script: form(path, enctype, fields),
    arrives,
  })),
  {
    name: `a form to ${path}, text/plain that reads as JSON`,
    // name=value gives {"email":"…","x":"="}
    script: form(path, 'text/plain', { [`${JSON.stringify(fields).slice(0, -1)},"x":"`]: '"}' }),
    arrives,
  },
]);

function form(path: string, enctype: string, fields: Record<string, string>): string {
  return `
    const form = Object.assign(document.createElement('form'), {
      method: 'post', action: server + '${path}', enctype: '${enctype}' });
    for (const [name, value] of ${JSON.stringify(Object.entries(fields))})
      form.append(Object.assign(document.createElement('input'), { name, value }));
    document.body.append(form);
    ${later('form.submit()')}`;
}

/** What leaves the page, done after the page has answered. */
function later(statement: string): string {
  return `setTimeout(() => { ${statement}; }); return 'nothing';`;
}

function promised(script: string): string {
  return `return (async () => {${script}})();`;
}

const fetches: Attempt[] = [
  {
    name: 'reading with fetch and credentials',
    script: read('/v1/me', "{ credentials: 'include' }"),
    arrives: { 'cross-site': ['GET /v1/me 401'], 'same-site': ['GET /v1/me 403 with cookies'] },
  },
  {
    name: 'reading with fetch in no-cors mode',
    script: read('/v1/me', "{ credentials: 'include', mode: 'no-cors' }"),
    arrives: { 'cross-site': ['GET /v1/me 401'], 'same-site': ['GET /v1/me 200 with cookies'] },
  },
  {
    name: 'logging out everywhere with fetch',
    script: read('/v1/logout-everywhere', "{ method: 'POST', credentials: 'include' }"),
    arrives: {
      'cross-site': ['POST /v1/logout-everywhere 401'],
      'same-site': ['POST /v1/logout-everywhere 403 with cookies'],
    },
  },
  {
    name: 'logging out with fetch in no-cors mode, without a body',
    script: read('/v1/logout', "{ method: 'POST', credentials: 'include', mode: 'no-cors' }"),
    arrives: refused('POST /v1/logout 403'),
  },
  {
    name: 'refreshing with fetch',
    script: read('/v1/refresh', "{ method: 'POST', credentials: 'include' }"),
    arrives: { 'cross-site': ['POST /v1/refresh 401'], 'same-site': ['POST /v1/refresh 403 with cookies'] },
  },
  {
    name: 'logging the victim in as the attacker, with JSON said to be text',
    script: read(
      '/v1/login',
      `{ method: 'POST', credentials: 'include', mode: 'no-cors', body: '${JSON.stringify(ATTACKERS_LOGIN)}' }`,
    ),
    arrives: refused('POST /v1/login 415'),
  },
  ...[
    ['POST', '/v1/login', ATTACKERS_LOGIN],
    ['PUT', '/v1/me/password', NEW_PASSWORD],
    ['POST', '/v1/logout-everywhere', {}],
  ].map(([method, path, body]) => ({
    name: `${method} ${path} with fetch and JSON`,
    script: read(
      String(path),
      `{ method: '${method}', credentials: 'include', headers: { 'content-type': 'application/json' },
        body: '${JSON.stringify(body)}' }`,
    ),
    arrives: { 'cross-site': [`OPTIONS ${path} 405`], 'same-site': [`OPTIONS ${path} 405`] }, // and nothing after it
  })),
  ...['/v1/logout-everywhere', '/v1/login'].map((path) => ({
    name: `a beacon to ${path}`,
    script: `navigator.sendBeacon(server + '${path}', '${JSON.stringify(ATTACKERS_LOGIN)}'); return 'nothing';`,
    arrives: formTargets.find((target) => target.path === path)?.arrives ?? refused('nothing'),
  })),
];

function read(path: string, init: string): string {
  return promised(`
    try {
      const answer = await fetch(server + '${path}', ${init});
      const text = await answer.text();
      return answer.status === 0 && text === '' ? 'nothing' : answer.status + text;
    } catch { return 'nothing'; }`);
}

const TEXT_INSIDE = 'element.contentDocument?.body?.textContent';

const embedded: Attempt[] = [
  ['img', 'src', 'GET /v1/me', 'element.naturalWidth > 0'],
  ['script', 'src', 'GET /v1/me', "event.type === 'load'"],
  ['iframe', 'src', 'GET /v1/me', TEXT_INSIDE],
  ['object', 'data', 'GET /v1/me', TEXT_INSIDE],
].map(([tag, attribute, line, sees]) => ({
  name: `<${tag}>`,
  script: promised(`
    const element = document.createElement('${tag}');
    const event = await new Promise((done) => {
      element.onload = element.onerror = done;
      element.${attribute} = server + '/v1/me';
      document.body.append(element);
    });
    return ${sees} ? 'something' : 'nothing';`),
  arrives: { 'cross-site': [`${line} 401`], 'same-site': [`${line} 200 with cookies`] },
  ...(tag === 'iframe' && { frames: 1 }),
}));

/** A browser sends cookies along when the whole page goes there (SameSite=Lax), and shows it to the user alone. */
const navigations: Attempt[] = [
  {
    name: 'going to /v1/me',
    script: later("location.href = server + '/v1/me'"),
    arrives: refused('GET /v1/me 200 with cookies'),
  },
  {
    name: 'opening /v1/me in a window',
    needsClick: true,
    script: promised(`
      const opened = await new Promise((done) => {
        document.body.onclick = () => done(open(server + '/v1/me'));
      });
      for (;;) {
        try {
          if (opened.document.body?.innerText) return opened.document.body.innerText;
        } catch { return 'nothing'; }
        await new Promise((done) => setTimeout(done, 10));
      }`),
    arrives: refused('GET /v1/me 200 with cookies'),
  },
  {
    name: 'going to /v1/logout',
    script: later("location.href = server + '/v1/logout'"),
    arrives: refused('GET /v1/logout 405 with cookies'),
  },
].map(({ arrives, ...rest }) => ({ ...rest, arrives: { ...arrives, 'same-site': arrives['cross-site'] } }));

const planting: Attempt = {
  name: 'planting a cookie by script',
  script: "document.cookie = 'access=planted; Path=/'; return 'nothing';",
  arrives: { 'cross-site': [], 'same-site': [] },
};

export const attempts: Attempt[] = [...forms, ...fetches, ...embedded, ...navigations, planting];
