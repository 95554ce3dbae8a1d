import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { execute } from '../../support/postgres.ts';
import { ask } from '../../support/workers.ts';
import { printFigures } from './figures.ts';
import { isFailure, KINDS, type Kind, type Load, type Sample, startLoad } from './load.ts';
import type { System } from './system.ts';

const WARM_UP_MS = 1000;
/** Who has had no failure for so long has recovered. */
const CALM_MS = 2000;
/** Longer than any recovery that is promised. */
const LONGEST_RECOVERY_MS = 20_000;

/** How many requests idcard may refuse (503, Retry-After) where the machine is too busy for the database to answer in time. */
const REFUSED_AT_MOST = 0.02;

interface Fault {
  /** Stands above the figures. */
  name: string;
  strike(): Promise<unknown>;
  /** From its beginning to its end. */
  lastsMs?: number;
  mend?(): Promise<unknown>;
}

export interface Outcome {
  samples: readonly Sample[];
  failures: readonly Sample[];
  /** From the moment in which the fault was mended until each kind of request had succeeded again. */
  secondsToRecover: number;
}

/**
 * A system under load, a fault in it, and load until it has recovered. Whatever the fault: nobody is signed out by it, and
 * no registration that was acknowledged is lost.
 */
export async function runDrill(system: System, fault: Fault): Promise<Outcome> {
  const load = await startLoad(system.url);
  let mendedMs = 0;
  try {
    await sleep(WARM_UP_MS);
    await fault.strike();
    await sleep(fault.lastsMs ?? 0);
    await fault.mend?.();
    mendedMs = performance.now();
    await untilCalm(load, mendedMs);
  } finally {
    await load.stop();
  }

  const { samples } = load;
  const secondsToRecover = (recoveredMs(samples, mendedMs) - mendedMs) / 1000;
  printFigures(fault.name, samples, secondsToRecover);
  const failures = samples.filter(isFailure);
  if (failures.some((sample) => !isRefusal(sample))) console.log(system.balancerErrors());
  expect(await refusedRefreshTokens(system, load)).toEqual([]);
  expect(await lostUsers(system, load)).toEqual([]);
  return { samples, failures, secondsToRecover };
}

/** Those that got no answer, or another one than a refusal by idcard, of which there are few. */
export function droppedOf({ samples, failures }: Outcome): Sample[] {
  expect(failures.filter(isRefusal).length).toBeLessThan(REFUSED_AT_MOST * samples.length);
  return failures.filter((sample) => !isRefusal(sample));
}

function isRefusal({ status, retryAfter }: Sample): boolean {
  return status === 503 && retryAfter !== undefined;
}

export function ofKind(samples: readonly Sample[], kind: Kind): Sample[] {
  return samples.filter((sample) => sample.kind === kind);
}

async function untilCalm(load: Load, mendedMs: number): Promise<void> {
  const isCalm = () => performance.now() - Math.max(lastFailureMs(load), mendedMs) > CALM_MS;
  while (!isCalm() && performance.now() - mendedMs < LONGEST_RECOVERY_MS) await sleep(50);
}

function recoveredMs(samples: readonly Sample[], mendedMs: number): number {
  const later = samples.filter((sample) => sample.startedMs > mendedMs && !isFailure(sample));
  return Math.max(...KINDS.map((kind) => ofKind(later, kind)[0]?.endedMs ?? Number.POSITIVE_INFINITY));
}

function lastFailureMs({ samples }: Load): number {
  return samples.findLast(isFailure)?.endedMs ?? 0;
}

async function refusedRefreshTokens(system: System, { refreshTokens }: Load): Promise<string[]> {
  const refused: string[] = [];
  const waiting = [...refreshTokens];
  async function refreshOneByOne(): Promise<void> {
    const agent = new Agent({ keepAlive: true });
    for (let refresh_token = waiting.pop(); refresh_token; refresh_token = waiting.pop()) {
      const { status, text } = await ask(`${system.url}/v1/refresh`, { agent, body: { refresh_token } });
      if (status === 503) waiting.push(refresh_token);
      else if (status !== 200) refused.push(`${status} ${text}`);
    }
    agent.destroy();
  }
  await Promise.all(Array.from({ length: 5 }, refreshOneByOne));
  return refused;
}

async function lostUsers(system: System, { registered }: Load): Promise<string[]> {
  const rows = await execute(system.databaseUrl, 'SELECT email FROM idcard_users');
  const stored = new Set(rows.map(({ email }) => email));
  return registered.filter((email) => !stored.has(email));
}
