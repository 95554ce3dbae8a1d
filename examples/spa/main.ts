import { cookie, createClient, dpop, ProblemError, type User } from 'idcard/client';

const form = find('form', HTMLFormElement);
const account = find('#account', HTMLElement);
const mode = location.search === '?dpop' ? 'dpop' : 'cookie';
const url = location.origin; // of idcard
const client = createClient({
  url,
  transport: mode === 'dpop' ? dpop() : cookie(),
  fetch: fetchVisibly,
});
let renewals = 0;
/** An answer that was asked for before something else happened is old when it arrives. */
let changes = 0;

find(`nav a[href="?${mode}"]`, HTMLElement).ariaCurrent = 'page';
client.on('login', () => {
  say('');
  attempt(showWhoIsLoggedIn);
});
client.on('loginEnded', ({ reason }) => {
  show(undefined);
  say(reason === 'logout' ? 'You have logged out.' : 'Your login has ended. Please log in again.');
});
document.addEventListener('visibilitychange', () => document.hidden || attempt(showWhoIsLoggedIn));

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  const credentials = { email: String(fields.get('email')), password: String(fields.get('password')) };
  const isNew = event.submitter instanceof HTMLButtonElement && event.submitter.value === 'register';
  attempt(async () => {
    if (isNew) await client.register(credentials);
    await client.login(credentials);
    form.reset();
  });
});
onClick('#logout', client.logout);
onClick('#everywhere', client.logoutEverywhere);
onClick('#call', async () => {
  const response = await client.fetch(`${url}/v1/me`);
  if (response.status !== 401) say(`The API has answered ${response.status}.`); // of that, `loginEnded` tells
});
attempt(showWhoIsLoggedIn);

async function showWhoIsLoggedIn(): Promise<void> {
  const before = changes;
  // A first visit asks nobody: the answer would be a 401, in red on the console. A login that a page without this client
  // has made, by cookie, would be found by `client.user()` alone.
  const user = (await client.isLoggedIn()) ? await client.user() : undefined;
  if (before === changes) show(user);
}

function show(user: User | undefined): void {
  changes++;
  account.hidden = !user;
  form.hidden = !!user;
  find('#who', HTMLElement).textContent = user?.email ?? '';
}

/** What `fetch` does, written down: renewals are seen here, and no token. */
async function fetchVisibly(request: Request): Promise<Response> {
  const response = await fetch(request);
  const { pathname } = new URL(request.url);
  if (pathname === '/v1/refresh' && response.ok) renewals++;
  find('#renewals', HTMLElement).textContent = String(renewals);
  const item = document.createElement('li');
  item.textContent = `${request.method} ${pathname} ${response.status}`;
  find('#requests', HTMLElement).prepend(item);
  return response;
}

function onClick(selector: string, action: () => Promise<void>): void {
  find(selector, HTMLButtonElement).addEventListener('click', () => attempt(action));
}

async function attempt(action: () => Promise<void>): Promise<void> {
  for (const field of ['email', 'password']) sayOf(field, '');
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ProblemError)) {
      say('That did not work. Is the server running?');
      throw error;
    }
    say(error.detail);
    for (const { pointer, detail } of error.errors) sayOf(pointer.replace('#/', ''), detail);
  }
}

/** Beside the field, if the form has it. */
function sayOf(field: string, text: string): void {
  const place = document.getElementById(`${field}-error`);
  if (place) place.textContent = text;
}

function say(text: string): void {
  find('#message', HTMLElement).textContent = text;
}

function find<T extends HTMLElement>(selector: string, type: new () => T): T {
  const element = document.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`The page has no ${selector}.`);
  return element;
}
