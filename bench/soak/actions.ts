import type { Directory } from '../../src/users/directory.ts';
import { PASSWORD } from '../password.ts';
import { type Device, ownTokens, Unexpected } from './device.ts';
import { createPerson, type Person, type Tokens } from './people.ts';

/** One of the things that people do. */
export interface Action {
  name: string;
  /** How often, of a thousand. */
  weight: number;
  /** Whose turn it may be. */
  isFor(person: Person): boolean;
  run(person: Person): Promise<void>;
}

interface World {
  device: Device;
  /** The operator's hand: what `idcard users` does. */
  directory: Directory;
  /** How many there are to begin with: who comes later has a higher number. */
  people: number;
}

/** Of tokens that must be refused from a moment on. */
interface DeadToken {
  person: Person;
  tokens: Tokens;
  refusedFromMs: number;
}

/** A poll of two seconds, on a machine that is slow to it. */
const REVOKED_AFTER_MS = 6000;
/** An honest client renews before the token expires. */
const RENEW_BEFORE_MS = 20_000;
const MOST_DEAD_TOKENS = 5000;
const MOST_GUESSES = 8;

const VERIFY = { method: 'GET', path: '/v1/verify' } as const;

/** Everything that happens in the life of an account, as often as it may in that of a busy service. */
export function createActions({ device, directory, people }: World): Action[] {
  const dead: DeadToken[] = [];
  let newest = people;

  const isIn = ({ tokens }: Person) =>
    tokens !== undefined && performance.now() < tokens.expiresAtMs - RENEW_BEFORE_MS;
  const hasLogin = ({ tokens }: Person) => tokens !== undefined;
  const isOut = (person: Person) => !hasLogin(person);

  /** The person goes on with others, or none; these must die. */
  function bury(person: Person, tokens: Tokens, refusedFromMs: number): void {
    const copy = { ...person, tokens };
    if (dead.length < MOST_DEAD_TOKENS) dead.push({ person: copy, tokens, refusedFromMs });
  }

  /** After something that voids: refresh tokens at once, access tokens within a poll. */
  async function proveVoid(person: Person, before: Tokens): Promise<void> {
    await device.refresh({ ...person }, 401, before);
    bury(person, before, performance.now() + REVOKED_AFTER_MS);
  }

  return [
    {
      name: 'verify',
      weight: 755,
      isFor: isIn,
      async run(person) {
        const { headers, text } = await device.askAs(person, VERIFY, 200);
        if (headers['x-auth-subject'] !== JSON.parse(text).sub)
          throw new Unexpected('the claims of somebody else');
      },
    },
    {
      name: 'GET /v1/me',
      weight: 45,
      isFor: isIn,
      async run(person) {
        const { text } = await device.askAs(person, { method: 'GET', path: '/v1/me' }, 200);
        if (JSON.parse(text).email !== person.email) throw new Unexpected('the account of somebody else');
      },
    },
    {
      name: 'refresh',
      weight: 130,
      isFor: hasLogin,
      async run(person) {
        const before = ownTokens(person);
        await device.refresh(person, 200);
        if (Math.random() < 0.02) bury(person, before, before.expiresAtMs + 1000);
      },
    },
    {
      name: 'bad token',
      weight: 20,
      isFor: (person) => isIn(person) && !person.proofKey,
      async run(person) {
        const tokens = ownTokens(person);
        await device.askAs(person, VERIFY, 401, { ...tokens, access: forged(tokens.access) });
      },
    },
    {
      name: 'dead token',
      weight: 20,
      isFor: () => true,
      async run() {
        const index = dead.findIndex(({ refusedFromMs }) => refusedFromMs < performance.now());
        const [token] = index === -1 ? [] : dead.splice(index, 1);
        if (token) await device.askAs(token.person, VERIFY, 401, token.tokens);
      },
    },
    {
      name: 'login',
      weight: 12,
      isFor: (person) => isOut(person) || Math.random() < 0.02, // on a second device
      async run(person) {
        await device.logIn(person, 200);
        person.guesses = 0;
      },
    },
    {
      name: 'wrong password',
      weight: 2,
      isFor: ({ guesses }) => guesses < MOST_GUESSES,
      async run(person) {
        person.guesses++;
        await device.logIn(person, 401, `${person.password}, or so`);
      },
    },
    {
      name: 'change of password',
      weight: 2,
      isFor: isIn,
      async run(person) {
        const before = ownTokens(person);
        await device.changePassword(person, `${PASSWORD} ${Math.random()}`);
        person.guesses = 0;
        await proveVoid(person, before);
      },
    },
    {
      name: 'logout',
      weight: 5,
      isFor: isIn,
      async run(person) {
        await device.askAs(person, { method: 'POST', path: '/v1/logout' }, 204);
        person.tokens = undefined;
      },
    },
    {
      name: 'logout everywhere',
      weight: 4,
      isFor: isIn,
      async run(person) {
        const before = ownTokens(person);
        await device.askAs(person, { method: 'POST', path: '/v1/logout-everywhere' }, 204);
        person.tokens = undefined;
        await proveVoid(person, before);
      },
    },
    {
      name: 'ban, and its end',
      weight: 1,
      isFor: (person) => isIn(person) && person.guesses < MOST_GUESSES,
      async run(person) {
        const before = ownTokens(person);
        const id = subjectOf(before);
        await directory.updateAndVoidTokens(id, { status: 'disabled' });
        person.tokens = undefined;
        await proveVoid(person, before);
        person.guesses++;
        await device.logIn(person, 401);
        await directory.update(id, { status: 'active' });
      },
    },
    {
      name: 'deletion, and somebody new',
      weight: 1,
      isFor: isIn,
      async run(person) {
        const before = ownTokens(person);
        await directory.remove(subjectOf(before));
        await proveVoid(person, before);
        await device.logIn(person, 401);
        const next = await createPerson(newest++);
        const body = { email: next.email, password: next.password };
        await device.ask(next, { method: 'POST', path: '/v1/register', body }, 201);
        Object.assign(person, { proofKey: undefined, tokens: undefined }, next);
      },
    },
    {
      name: 'email taken',
      weight: 1,
      isFor: ({ registrations }) => registrations < MOST_GUESSES,
      async run(person) {
        person.registrations++;
        const body = { email: person.email, password: PASSWORD };
        await device.ask(person, { method: 'POST', path: '/v1/register', body }, 409);
      },
    },
  ];
}

function subjectOf({ access }: Tokens): string {
  return JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString()).sub;
}

/** A token that nobody signed: with another signature, without one, or no token at all. */
function forged(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
  const forgeries = [
    `${header}.${payload}.${[...signature].reverse().join('')}`,
    `${header}.${payload}.`,
    `${none}.${payload}.`,
    'x'.repeat(600),
  ];
  return forgeries[Math.floor(Math.random() * forgeries.length)] ?? '';
}
