/** `npm run soak -- [--minutes 60]`: the whole life of accounts for an hour; writes `bench/soak.md` and its chart. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hash } from 'argon2';
import { systemClock } from '../src/clock.ts';
import { openDatabase } from '../src/users/databases/index.ts';
import { createDirectory, type Directory } from '../src/users/directory.ts';
import { ARGON2, PASSWORD } from './password.ts';
import { startBenchPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { startIdcard } from './shipped.ts';
import { createActions } from './soak/actions.ts';
import { createClient, type Send } from './soak/client.ts';
import { createDevice, type Device } from './soak/device.ts';
import { createPace, type Failure } from './soak/pace.ts';
import { createCrowd, createPerson, type Person } from './soak/people.ts';
import { connectionsTo, observeProcesses } from './soak/processes.ts';
import { formatSoak } from './soak/report.ts';
import type { Sample } from './soak/sample.ts';

const PEOPLE = 1000;
const WORKERS = 2;
const ACCESS_TOKEN_TTL_SECONDS = 300;
const CAPACITY_SECONDS = 30;
const LOAD = 0.7;
const SAMPLE_SECONDS = 10;
/** Beyond, the rest of the hour would tell nothing new. */
const MOST_FAILURES = 100;

const minutes = readMinutes();
const postgres = await startBenchPostgres();
const redis = await startRedis();
const DATABASE_URL = await postgres.createDatabase();
const server = await startIdcard({
  DATABASE_URL,
  ...(redis && { REDIS_URL: redis.url }),
  WORKERS: String(WORKERS),
  ACCESS_TOKEN_TTL_SECONDS: String(ACCESS_TOKEN_TTL_SECONDS),
  TRUSTED_PROXIES: '127.0.0.1',
});
const directory = createDirectory(await openDatabase(DATABASE_URL, 1), systemClock);
let requests = 0;
const send = createClient(server.address);
const countedSend: Send = (exchange) => {
  requests++;
  return send(exchange);
};
const device = createDevice(server.address, countedSend, ACCESS_TOKEN_TTL_SECONDS);

const people = await Promise.all(Array.from({ length: PEOPLE }, (_, number) => createPerson(number)));
await register(people, directory);
await logIn(people, device);
const pace = createPace(createActions({ device, directory, people: PEOPLE }), createCrowd(people));
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
  requests = 0;
  pace.start(offeredPerSecond);
  for (let atSeconds = 0; atSeconds < minutes * 60 && failures.length < MOST_FAILURES; ) {
    await sleep(SAMPLE_SECONDS * 1000);
    const seconds = (performance.now() - startedAt) / 1000 - atSeconds;
    atSeconds += seconds;
    const { failures: newFailures, ...doings } = pace.doings();
    failures.push(...newFailures);
    try {
      samples.push({
        ...doings,
        atSeconds,
        seconds,
        requests,
        processes: look(),
        postgresConnections: connectionsTo(postgres.port),
        redisConnections: redis ? connectionsTo(Number(new URL(redis.url).port)) : 0,
      });
    } catch (error) {
      failures.push({ at: new Date().toISOString(), action: 'a look at the processes', what: String(error) });
      break;
    }
    tell(samples);
    requests = 0;
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
  const perSecond = Math.round(last.requests / last.seconds);
  console.error(
    `${Math.round(last.atSeconds / 60)} min: ${perSecond} requests/s, ${memory}, ${failures.length} failures`,
  );
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

function readMinutes(): number {
  try {
    const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
    const minutes = Number(values.minutes);
    if (minutes >= 1 && minutes <= 10_000) return minutes;
  } catch {}
  console.error('The option is --minutes, from 1 to 10000: npm run soak -- --minutes 60');
  return process.exit(2);
}
