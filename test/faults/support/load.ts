import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ADA, bearer, type TokenBody } from '../../support/app.ts';

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
  retryAfter: string | null;
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

/** Far beyond every bound that is promised, so that slowness is measured and not cut off. */
const PATIENCE_MS = 60_000;

export async function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}

/** Twenty clients that do what clients do, at a pace that leaves the machine room, until they are stopped. */
export async function startLoad(url: string): Promise<Load> {
  const samples: Sample[] = [];
  const refreshTokens: string[] = [];
  const registered: string[] = [];
  let isOver = false;

  /** The answer's text when it was a success. */
  async function ask(kind: Kind, request: () => Promise<Response>): Promise<string | undefined> {
    const startedMs = performance.now();
    const outcome = await request().then(
      async (response) => ({
        status: response.status,
        text: await response.text(),
        retryAfter: response.headers.get('retry-after'),
      }),
      (error: unknown) => ({ status: 0, text: reasonOf(error), retryAfter: null }),
    );
    const hasFailed = isFailure(outcome);
    const text = hasFailed ? outcome.text : '';
    samples.push({ kind, startedMs, endedMs: performance.now(), ...outcome, text });
    return hasFailed ? undefined : outcome.text;
  }

  async function askForTokens(kind: Kind, path: string, body: object): Promise<TokenBody | undefined> {
    const answer = await ask(kind, () => post(url + path, body));
    if (answer === undefined) return undefined;
    const tokens: TokenBody = JSON.parse(answer);
    refreshTokens.push(tokens.refresh_token);
    return tokens;
  }

  const logIn = () => askForTokens('login', '/v1/login', ADA);
  const clients: Record<Kind, (tokens: { current: TokenBody | undefined }) => Promise<unknown>> = {
    verify: ({ current }) =>
      ask('verify', () =>
        fetch(`${url}/v1/verify`, {
          headers: bearer(current?.access_token ?? ''),
          signal: AbortSignal.timeout(PATIENCE_MS),
        }),
      ),
    async refresh(tokens) {
      const refresh_token = tokens.current?.refresh_token;
      tokens.current = (await askForTokens('refresh', '/v1/refresh', { refresh_token })) ?? tokens.current;
    },
    login: logIn,
    async register() {
      const email = `${randomUUID()}@example.com`;
      const answer = await ask('register', () => post(`${url}/v1/register`, { ...ADA, email }));
      if (answer !== undefined) registered.push(email);
    },
  };

  async function runClient(kind: Kind, tokens: { current: TokenBody | undefined }): Promise<void> {
    while (!isOver) {
      await clients[kind](tokens);
      await sleep(CLIENTS[kind].restMs * (0.5 + Math.random()));
    }
  }

  const started: Promise<void>[] = [];
  for (const kind of KINDS) {
    for (let client = 0; client < CLIENTS[kind].count; client++) {
      const tokens = { current: await logIn() };
      while (!tokens.current) tokens.current = await logIn(); // too busy a machine refuses some
      started.push(runClient(kind, tokens));
    }
  }
  return {
    samples,
    refreshTokens,
    registered,
    async stop() {
      isOver = true;
      await Promise.all(started);
    },
  };
}

export const KINDS = ['verify', 'refresh', 'login', 'register'] as const;

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return String(cause);
}
