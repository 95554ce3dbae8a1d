/** The app as shipped, with one route beside it that answers the same bytes and headers without any login. */
import { once } from 'node:events';
import { pino } from 'pino';
import { z } from 'zod';
import { buildApp } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config.ts';
import { createHasher } from '../src/passwords/hasher.ts';
import { AccessClaims } from '../src/tokens/claims.ts';
import { generateKeySet } from '../src/tokens/key-rotation.ts';
import { createKeySet } from '../src/tokens/key-set.ts';
import { openDatabase } from '../src/users/databases/index.ts';
import { createDirectory } from '../src/users/directory.ts';

const port = process.env.PORT ?? '3991';
const config = readConfig({
  DATABASE_URL: 'sqlite::memory:',
  RATE_LIMITS: 'off',
  ACCESS_TOKEN_TTL_SECONDS: '86400',
  PORT: port,
  PUBLIC_URL: `http://127.0.0.1:${port}`,
});
const directory = createDirectory(await openDatabase(config.databaseUrl), systemClock);
/** Users who are not among those that send requests. */
const revoked = Array.from({ length: Number(process.env.REVOCATIONS ?? 0) }, (_, index) => ({
  sub: `revoked-${index}`,
  ver: 2,
  raisedAtSeconds: systemClock(),
}));
const app = await buildApp({
  config,
  keySet: createKeySet(JSON.stringify(generateKeySet(config, 0)), config.algorithm, systemClock),
  directory: { ...directory, raisedSince: async () => revoked },
  hasher: createHasher(config.argon2),
  clock: systemClock,
  logger: pino({ level: 'silent' }),
  lifecycle: { stopping: false },
});

let claims: AccessClaims | undefined;
app.get(
  '/bare',
  { schema: { querystring: z.strictObject({}), response: { 200: AccessClaims } } },
  (_request, reply) => {
    if (!claims) throw new Error('no claims yet');
    reply.header('x-auth-subject', claims.sub).header('x-auth-roles', claims.roles.join(',')).send(claims);
  },
);

const address = await app.listen({ host: '127.0.0.1', port: config.port });
process.send?.({ address });
[{ claims }] = await once(process, 'message');
