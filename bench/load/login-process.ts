/** Clients that log in again and again, each on a connection of its own. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoginOptions {
  address: string;
  /** How many log in at once. */
  clients: number;
  /** Sent in turn. */
  bodies: readonly string[];
  /** Whether who is refused waits for as long as `Retry-After` says, or tries again at once. */
  heedsRetryAfter: boolean;
}

export interface LoginReport {
  seconds: number;
  logins: number;
  /** How long each refusal, a 503 with `Retry-After`, took. */
  refusedAfterMs: number[];
  /** Any other answer. */
  failures: number;
}

const options: LoginOptions = JSON.parse(process.argv[2] ?? '');
const { address, clients, bodies, heedsRetryAfter } = options;
const agent = new Agent({ keepAlive: true });
let report = newReport();
let reportedAt = performance.now();
let sent = 0;

process.on('message', () => {
  const now = performance.now();
  process.send?.({ ...report, seconds: (now - reportedAt) / 1000 });
  report = newReport();
  reportedAt = now;
});
await Promise.all(Array.from({ length: clients }, logInForever));

async function logInForever(): Promise<void> {
  for (;;) {
    const startedAt = performance.now();
    const { statusCode, headers } = await post(bodies[sent++ % bodies.length] ?? '');
    const retryAfter = Number(headers['retry-after']);
    if (statusCode === 200) report.logins++;
    else if (statusCode === 503 && retryAfter > 0) {
      report.refusedAfterMs.push(performance.now() - startedAt);
      if (heedsRetryAfter) await sleep(retryAfter * 1000);
    } else report.failures++;
  }
}

async function post(body: string): Promise<IncomingMessage> {
  const answer = Promise.withResolvers<IncomingMessage>();
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  request(`${address}/v1/login`, { method: 'POST', agent, headers }, (response) => {
    response.resume().on('end', () => answer.resolve(response));
  })
    .on('error', answer.reject)
    .end(body);
  return answer.promise;
}

function newReport(): Omit<LoginReport, 'seconds'> {
  return { logins: 0, refusedAfterMs: [], failures: 0 };
}
