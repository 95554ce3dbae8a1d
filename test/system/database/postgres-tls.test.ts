import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StartupError } from '../../../src/base/startup-error.ts';
import { openDatabase } from '../../../src/database/index.ts';
import { issueCertificate } from '../../support/certificates.ts';
import {
  createDatabase,
  execute,
  PASSWORD,
  type PostgresServer,
  startPostgres,
  urlOf,
} from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/process.ts';

/* A real server, whose certificate names localhost and comes from an authority that nobody knows. */

const folder = temporaryFolder();
const ours = join(folder, 'ours.pem');
const another = join(folder, 'another.pem');
const clerk = { certificate: join(folder, 'clerk.pem'), key: join(folder, 'clerk.key') };
let server: PostgresServer;
let url: string;

beforeAll(async () => {
  const authority = issueCertificate('Our authority');
  const host = issueCertificate('localhost', authority);
  writeFileSync(ours, authority.certificate);
  writeFileSync(another, issueCertificate('Another authority').certificate);
  const certificate = issueCertificate('clerk', authority);
  writeFileSync(clerk.certificate, certificate.certificate);
  writeFileSync(clerk.key, certificate.key);
  server = await startPostgres(
    { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key', ssl_ca_file: 'root.crt' },
    {
      'server.crt': host.certificate,
      'server.key': host.key,
      'root.crt': authority.certificate,
      'pg_hba.conf': [
        'host all trusted all trust',
        'host all old all md5',
        'host all plain all password',
        'hostssl all clerk all cert',
        'host all all all scram-sha-256',
      ].join('\n'),
    },
  );
  await execute(
    urlOf(server.port, 'postgres'),
    "SET password_encryption = 'md5'",
    ...['trusted', 'old', 'plain', 'clerk'].map(
      (name) => `CREATE ROLE ${name} SUPERUSER LOGIN PASSWORD '${PASSWORD}'`,
    ),
  );
  url = await createDatabase(server.port);
});
afterAll(async () => {
  await server?.remove();
  rmSync(folder, { recursive: true });
});

function over(host: string, parameters: string): string {
  return `${url.replace('127.0.0.1', host)}?${parameters}`;
}

async function isEncrypted(through: string): Promise<unknown> {
  const db = await openDatabase(through);
  const { rows } = await sql<{
    ssl: boolean;
  }>`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`.execute(db);
  await db.destroy();
  return rows[0]?.ssl;
}

async function refusal(through: string): Promise<string> {
  const error = await isEncrypted(through).catch((reason: unknown) => reason);
  if (!(error instanceof StartupError)) throw new Error('It was opened.', { cause: error });
  return error.message;
}

describe('the connection is encrypted with', () => {
  test.each([
    ['require, whatever the certificate', '127.0.0.1', () => 'sslmode=require'],
    ['require and our authority', '127.0.0.1', () => `sslmode=require&sslrootcert=${ours}`],
    [
      'verify-ca and our authority, under any name',
      '127.0.0.1',
      () => `sslmode=verify-ca&sslrootcert=${ours}`,
    ],
    [
      'verify-full and our authority, under its name',
      'localhost',
      () => `sslmode=verify-full&sslrootcert=${ours}`,
    ],
  ])('%s', async (_what, host, parameters) => {
    expect(await isEncrypted(over(host, parameters()))).toBe(true);
  });
});

describe('the server is refused with', () => {
  test.each([
    ['verify-full, without its authority', 'localhost', () => 'sslmode=verify-full'],
    ['verify-full and another authority', 'localhost', () => `sslmode=verify-full&sslrootcert=${another}`],
    ['verify-full under another name', '127.0.0.1', () => `sslmode=verify-full&sslrootcert=${ours}`],
    ['verify-ca and another authority', 'localhost', () => `sslmode=verify-ca&sslrootcert=${another}`],
    ['require and another authority', 'localhost', () => `sslmode=require&sslrootcert=${another}`],
  ])('%s', async (_what, host, parameters) => {
    expect(await refusal(over(host, parameters()))).toMatch(
      /^The PostgreSQL server .* shows a certificate that is not trusted \([A-Z_]+\): check sslrootcert, and the host\.$/,
    );
  });
});

test('plain text is what disable says, and what this machine has without a word', async () => {
  expect(await isEncrypted(over('127.0.0.1', 'sslmode=disable'))).toBe(false);
  expect(await isEncrypted(url)).toBe(false);
});

describe('how the password is proven', () => {
  const as = (user: string, parameters: string) =>
    over('localhost', parameters).replace('//postgres:', `//${user}:`);

  test.each([
    ['postgres', 'sslmode=require&channel_binding=require'],
    ['postgres', 'sslmode=require&channel_binding=require&require_auth=scram-sha-256'],
    ['postgres', 'sslmode=require&channel_binding=disable&require_auth=scram-sha-256'],
    ['old', 'sslmode=require&require_auth=!password'],
    ['plain', 'sslmode=require&require_auth=md5,password'],
    ['trusted', 'sslmode=require&require_auth=none'],
  ])('is as %s is asked and %s allows', async (user, parameters) => {
    expect(await isEncrypted(as(user, parameters))).toBe(true);
  });

  test.each([
    ['trusted', 'sslmode=require&channel_binding=require'],
    ['old', 'sslmode=require&channel_binding=require'],
    ['plain', 'sslmode=require&channel_binding=require'],
    ['plain', 'sslmode=require&require_auth=scram-sha-256,md5'],
    ['old', 'sslmode=require&require_auth=scram-sha-256'],
    ['trusted', 'sslmode=require&require_auth=!none'],
    ['postgres', 'sslmode=disable&require_auth=md5'],
  ])('is refused, where %s is asked otherwise than %s allows', async (user, parameters) => {
    expect(await refusal(as(user, parameters))).toMatch(
      /asks for the password in a way that channel_binding or require_auth of DATABASE_URL forbids\.$/,
    );
  });

  test('is a certificate, where the server asks for one', async () => {
    const own = `sslmode=verify-full&sslrootcert=${ours}&sslcert=${clerk.certificate}&sslkey=${clerk.key}`;
    expect(await isEncrypted(as('clerk', own))).toBe(true);
    expect(await refusal(as('clerk', 'sslmode=require'))).toContain(
      'lets this user in neither from here nor in this way',
    );
  });
});

test('TLS without a question before, and of the version that is asked for', async () => {
  expect(
    await isEncrypted(over('localhost', `sslmode=verify-full&sslrootcert=${ours}&sslnegotiation=direct`)),
  ).toBe(true);
  const range = 'ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.2';
  const db = await openDatabase(over('localhost', `sslmode=require&${range}`));
  const query = sql`SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
  expect((await query.execute(db)).rows).toEqual([{ version: 'TLSv1.2' }]);
  await db.destroy();
});
