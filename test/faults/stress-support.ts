import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ADA, bearer, type TokenBody } from '../support/app.ts';

/** One line for whoever reads the output of a drill. */
export function printFigures(drill: string, requests: number, failures: number, secondsToRecover: number) {
  console.log(
    `${drill}: ${requests} requests, ${failures} failures, recovered after ${secondsToRecover.toFixed(1)} s`,
  );
}

export function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  const own = { 'content-type': 'application/json', ...headers };
  return fetch(url, { method: 'POST', headers: own, body: JSON.stringify(body) });
}

export async function register(url: string, email: string): Promise<Response> {
  return post(`${url}/v1/register`, { email, password: ADA.password });
}

/** Whether a registration was told that it has succeeded. */
export function isAcknowledged(status: number): boolean {
  return status === 201;
}

/** @throws when it fails */
export async function logIn(url: string, email: string): Promise<TokenBody> {
  const response = await post(`${url}/v1/login`, { email, password: ADA.password });
  const text = await response.text();
  if (!response.ok) throw new Error(`login answered ${response.status}: ${text}`);
  return JSON.parse(text) as TokenBody;
}

export async function verify(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/v1/verify`, { headers: bearer(token) });
  await response.text();
  return response.status;
}

/** The resident set of a process, in MiB: proc_pid_status(5). */
export function memoryOf({ pid }: { pid: number }): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) / 1024;
}

/** Asks until it is so. @returns the seconds that it took */
export async function secondsUntil(isSo: () => Promise<boolean>, atMostSeconds: number): Promise<number> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  while (!(await isSo())) {
    if (seconds() > atMostSeconds) throw new Error(`It was not so after ${atMostSeconds} s.`);
    await sleep(20);
  }
  return seconds();
}

/**
 * The environment of a process whose system clock is wrong by so many seconds: by the first of them, and by the next one
 * after each SIGUSR2.
 */
export function wrongClock(...seconds: readonly number[]): { NODE_OPTIONS: string } {
  const source = `
    const steps = ${JSON.stringify(seconds)};
    const { now } = Date;
    process.on('SIGUSR2', () => steps.length > 1 && steps.shift());
    globalThis.Date = class extends Date {
      constructor(...given) { super(...(given.length ? given : [Date.now()])); }
      static now() { return now() + 1000 * steps[0]; }
    };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}
