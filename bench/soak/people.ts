import { generateKeyPair, type KeyPair } from 'dpop';
import { PASSWORD } from '../password.ts';

/** Somebody with an account, and a device of one kind. */
export interface Person {
  number: number;
  email: string;
  password: string;
  /** Of a network of their own. */
  address: string;
  transport: 'bearer' | 'cookie';
  /** What their tokens are bound to. */
  proofKey?: KeyPair;
  tokens?: Tokens | undefined;
  /** Guesses at the account since the last login, and attempts to register it again: ten are free. */
  guesses: number;
  registrations: number;
}

export interface Tokens {
  access: string;
  refresh: string;
  /** By `performance.now()`. */
  expiresAtMs: number;
}

export async function createPerson(number: number): Promise<Person> {
  const isBound = number % 5 === 0;
  return {
    number,
    email: `person${number}@example.com`,
    password: PASSWORD,
    address: addressOf(number),
    transport: number % 5 < 3 ? 'bearer' : 'cookie',
    ...(isBound && { proofKey: await generateKeyPair('ES256') }),
    guesses: 0,
    registrations: 0,
  };
}

function addressOf(number: number): string {
  const [high, low] = [number >> 8, number & 255];
  return number % 2 === 0
    ? `10.${high >> 8}.${high & 255}.${low}`
    : `2001:db8:${high.toString(16)}:${low}::1`;
}

/** Who is free for something new: nobody does two things at once, so that it is known how each must end. */
export interface Crowd {
  take(isFit: (person: Person) => boolean): Person | undefined;
  giveBack(person: Person): void;
}

/** How many are asked before there is nobody fit. */
const ASKED = 50;

export function createCrowd(people: readonly Person[]): Crowd {
  const idle = [...people];
  return {
    take(isFit) {
      for (let asked = 0; asked < ASKED; asked++) {
        const index = Math.floor(Math.random() * idle.length);
        const person = idle[index];
        const last = idle.at(-1);
        if (!person || !last || !isFit(person)) continue;
        idle[index] = last;
        idle.pop();
        return person;
      }
      return undefined;
    },
    giveBack: (person) => void idle.push(person),
  };
}
