import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ADA, bearer, type TokenBody } from '../../support/app.ts';
import { ask } from '../../support/workers.ts';

export type Kind = 'verify' | 'refresh' | 'login' | 'register';

/** One request, in milliseconds of `performance.now()`. */
export interface Sample {
  kind: Kind;
  startedMs: number;
  endedMs: number;
  /** 0 when there was no answer. */
  status: number;
  /** What the answer or its absence said, when it was no success. */
  text: string;
  retryAfter: string | undefined;
}

export function isFailure({ status }: Pick<Sample, 'status'>): boolean {
  return status < 200 || status > 299;
}

export interface Load {
  samples: readonly Sample[];
  /** Every refresh token that was handed out, in turn. */
  refreshTokens: readonly string[];
  /** Every email whose registration was acknowledged. */
  registered: readonly string[];
  stop(): Promise<void>;
}

/** Clients at once, and how long each rests between its answer and its next request. */
const CLIENTS: Record<Kind, { count: number; restMs: number }> = {
  verify: { count: 11, restMs: 50 },
  refresh: { count: 5, restMs: 100 },
  login: { count: 2, restMs: 300 },
  register: { count: 2, restMs: 300 },
};

/** Twenty clients that do what clients do, at a pace that leaves the machine room, until they are stopped. */
export async function startLoad(url: string): Promise<Load> {
  const samples: Sample[] = [];
  const refreshTokens: string[] = [];
  const registered: string[] = [];
  const agent = new Agent({ keepAlive: true });
  let isOver = false;

  /** The answer's text when it was a success. */
  async function sample(
    kind: Kind,
    path: string,
    request: Parameters<typeof ask>[1],
  ): Promise<string | undefined> {
    const startedMs = performance.now();
    const outcome = await ask(url + path, { agent, ...request }).catch(noAnswer);
    const { status, headers, text } = outcome;
    const hasFailed = isFailure(outcome);
    const retryAfter = headers['retry-after'];
    samples.push({
      kind,
      startedMs,
      endedMs: performance.now(),
      status,
      retryAfter,
      text: hasFailed ? text : '',
    });
    return hasFailed ? undefined : text;
  }

  async function sampleTokens(kind: Kind, path: string, body: object): Promise<TokenBody | undefined> {
    const answer = await sample(kind, path, { body });
    if (answer === undefined) return undefined;
    const tokens: TokenBody = JSON.parse(answer);
    refreshTokens.push(tokens.refresh_token);
    return tokens;
  }

  const logIn = () => sampleTokens('login', '/v1/login', ADA);
  const clients: Record<Kind, (tokens: { current: TokenBody }) => Promise<unknown>> = {
    verify: ({ current }) => sample('verify', '/v1/verify', { headers: bearer(current.access_token) }),
    async refresh(tokens) {
      const { refresh_token } = tokens.current;
      tokens.current = (await sampleTokens('refresh', '/v1/refresh', { refresh_token })) ?? tokens.current;
    },
    login: logIn,
    async register() {
      const email = `${randomUUID()}@example.com`;
      const answer = await sample('register', '/v1/register', { body: { ...ADA, email } });
      if (answer !== undefined) registered.push(email);
    },
  };

  async function runClient(kind: Kind, tokens: { current: TokenBody }): Promise<void> {
    while (!isOver) {
      await clients[kind](tokens);
      await sleep(CLIENTS[kind].restMs * (0.5 + Math.random()));
    }
  }

  const started: Promise<void>[] = [];
  for (const kind of KINDS) {
    for (let client = 0; client < CLIENTS[kind].count; client++) {
      let tokens = await logIn();
      while (!tokens) tokens = await logIn(); // too busy a machine refuses some
      started.push(runClient(kind, { current: tokens }));
    }
  }
  return {
    samples,
    refreshTokens,
    registered,
    async stop() {
      isOver = true;
      await Promise.all(started);
      agent.destroy();
    },
  };
}

export const KINDS = ['verify', 'refresh', 'login', 'register'] as const;

function noAnswer(error: Error): Awaited<ReturnType<typeof ask>> {
  return { status: 0, headers: {}, text: String(error) };
}
