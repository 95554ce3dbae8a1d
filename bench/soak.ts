/** `npm run soak -- [--minutes 60]`: the whole life of accounts for an hour; writes `bench/soak.md` and its chart. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hash } from 'argon2';
import { systemClock } from '../src/base/clock.ts';
import { openDatabase } from '../src/database/index.ts';
import { Problem } from '../src/problems/problem.ts';
import { createDirectory, type Directory } from '../src/users/directory.ts';
import { createClient, type Send } from './client.ts';
import { createIssuer, PUBLIC_URL } from './issuer.ts';
import { createLoad } from './load.ts';
import { ARGON2, PASSWORD } from './password.ts';
import { startBenchPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { bearer } from './servers/peer.ts';
import { startIdcard } from './shipped.ts';
import { createActions } from './soak/actions.ts';
import { createDevice, type Device } from './soak/device.ts';
import { createLiveMemory } from './soak/live-memory.ts';
import { createPace, type Failure } from './soak/pace.ts';
import { createCrowd, createPerson, type Person } from './soak/people.ts';
import { connectionsTo, observeProcesses, type ProcessSight } from './soak/processes.ts';
import { formatSoak } from './soak/report.ts';
import type { Sample } from './soak/sample.ts';

const PEOPLE = 1000;
const WORKERS = 2;
/** What each worker remembers at most. */
const VERIFIED_TOKENS = 100_000;
const ACCESS_TOKEN_TTL_SECONDS = 300;
const CAPACITY_SECONDS = 30;
const LOAD = 0.7;
const SAMPLE_SECONDS = 10;
/** Collecting garbage takes a tenth of a second. */
const SAMPLES_PER_COLLECTION = 12;
/** Beyond, the rest of the hour would tell nothing new. */
const MOST_FAILURES = 100;

const minutes = readMinutes();
const postgres = await startBenchPostgres();
const redis = await startRedis();
const DATABASE_URL = await postgres.createDatabase();
const issuer = createIssuer();
const liveMemory = createLiveMemory();
const server = await startIdcard({
  DATABASE_URL,
  KEY_SET: issuer.keySet,
  PUBLIC_URL,
  ...(redis && { REDIS_URL: redis.url }),
  WORKERS: String(WORKERS),
  ACCESS_TOKEN_TTL_SECONDS: String(ACCESS_TOKEN_TTL_SECONDS),
  TRUSTED_PROXIES: '127.0.0.1',
  NODE_OPTIONS: liveMemory.nodeOptions,
});
const directory = createDirectory(await openDatabase(DATABASE_URL), systemClock);
let requests = 0;
let refused = 0;
const send = createClient(server.address);
const countedSend: Send = (exchange) => {
  requests++;
  return send(exchange);
};
const device = createDevice(countedSend, ACCESS_TOKEN_TTL_SECONDS, () => void refused++);

const people = await Promise.all(Array.from({ length: PEOPLE }, (_, number) => createPerson(number)));
await register(people, directory);
await logIn(people, device);
await fillMemory();
const actions = createActions({ device, directory: patient(directory), people: PEOPLE });
const pace = createPace(actions, createCrowd(people));
const capacityPerSecond = await pace.runAsFastAsPossible(CAPACITY_SECONDS);
const failures: Failure[] = [...pace.doings().failures];
const offeredPerSecond = LOAD * capacityPerSecond;
console.error(`${Math.round(capacityPerSecond)} actions/s at most, ${Math.round(offeredPerSecond)} offered`);

const samples = await soak();
const { markdown, svg, isKept } = formatSoak({
  minutes,
  capacityPerSecond,
  offeredPerSecond,
  samples,
  failures,
});
writeFileSync(new URL('soak.md', import.meta.url), markdown);
if (svg) writeFileSync(new URL('soak.svg', import.meta.url), svg);
console.log(markdown);
await directory.close();
await server.stop();
await redis?.stop();
await postgres.remove();
process.exit(isKept ? 0 : 1); // whatever a request that was never answered still waits for

async function soak(): Promise<Sample[]> {
  const look = observeProcesses(server.pid);
  const samples: Sample[] = [];
  const startedAt = performance.now();
  let cpuSeconds = cpuSecondsOf(look());
  requests = 0;
  refused = 0;
  pace.start(offeredPerSecond);
  for (let atSeconds = 0; atSeconds < minutes * 60 && failures.length < MOST_FAILURES; ) {
    await sleep(SAMPLE_SECONDS * 1000);
    const seconds = (performance.now() - startedAt) / 1000 - atSeconds;
    atSeconds += seconds;
    const { failures: newFailures, ...doings } = pace.doings();
    failures.push(...newFailures);
    try {
      const processes = look();
      if (samples.length % SAMPLES_PER_COLLECTION === 0)
        for (const sight of processes) sight.liveMib = await liveMemory.mibOf(sight.pid);
      const coresInUse = (cpuSecondsOf(processes) - cpuSeconds) / seconds;
      cpuSeconds += coresInUse * seconds;
      samples.push({
        ...doings,
        atSeconds,
        seconds,
        requests,
        refused,
        processes,
        coresInUse,
        postgresConnections: connectionsTo(postgres.port),
        redisConnections: redis ? connectionsTo(Number(new URL(redis.url).port)) : 0,
      });
    } catch (error) {
      failures.push({ at: new Date().toISOString(), action: 'a look at the processes', what: String(error) });
      break;
    }
    tell(samples);
    requests = 0;
    refused = 0;
  }
  await pace.stop();
  failures.push(...pace.doings().failures);
  return samples;
}

/** Once a minute. */
function tell(samples: readonly Sample[]): void {
  const last = samples.at(-1);
  if (!last || samples.length % (60 / SAMPLE_SECONDS) !== 0) return;
  const memory = last.processes.map(({ name, rssMib }) => `${name} ${Math.round(rssMib)} MiB`).join(', ');
  const live = samples.findLast(({ processes }) => processes[0]?.liveMib !== undefined);
  const liveMemory = live?.processes.map(({ liveMib }) => liveMib?.toFixed(1)).join(', ');
  const perSecond = Math.round(last.requests / last.seconds);
  console.error(
    `${Math.round(last.atSeconds / 60)} min: ${perSecond} requests/s, ${memory}, live ${liveMemory}, ${failures.length} failures`,
  );
}

/** Tries again where the answer would be 503, as an operator does. */
function patient(directory: Directory): Directory {
  const again = async <T>(work: () => Promise<T>, attemptsLeft = 20): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem) || attemptsLeft === 0) throw error;
      await sleep(2000);
      return again(work, attemptsLeft - 1);
    }
  };
  return {
    ...directory,
    update: (...change) => again(() => directory.update(...change)),
    updateAndVoidTokens: (...change) => again(() => directory.updateAndVoidTokens(...change)),
    remove: (id) => again(() => directory.remove(id)),
  };
}

/** Straight into the directory, with one hash for all. */
async function register(people: readonly Person[], { add }: Directory): Promise<void> {
  const passwordHash = await hash(PASSWORD, ARGON2);
  for (const { email } of people) await add({ email, passwordHash, roles: [] });
}

async function logIn(people: readonly Person[], { logIn }: Device): Promise<void> {
  const AT_ONCE = 16;
  for (let first = 0; first < people.length; first += AT_ONCE) {
    await Promise.all(people.slice(first, first + AT_ONCE).map((person) => logIn(person, 200)));
  }
}

/** Verified tokens are remembered up to a bound: until then memory grows as it is meant to. */
async function fillMemory(): Promise<void> {
  const requests = issuer
    .issue(WORKERS * VERIFIED_TOKENS, { roles: [] }) // as those that come
    .map((client) => ({ path: '/v1/verify', headers: bearer(client) }));
  const load = createLoad({ address: server.address, connections: 20, requests });
  for (let sent = 0; sent < requests.length; ) sent += (await load.run(SAMPLE_SECONDS)).requests;
}

function cpuSecondsOf(processes: readonly ProcessSight[]): number {
  return processes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

function readMinutes(): number {
  try {
    const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
    const minutes = Number(values.minutes);
    if (minutes >= 1 && minutes <= 10_000) return minutes;
  } catch {}
  console.error('The option is --minutes, from 1 to 10000: npm run soak -- --minutes 60');
  return process.exit(2);
}
