import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StartupError } from '../../src/startup-error.ts';
import { openDatabase } from '../../src/users/databases/index.ts';
import { issueCertificate } from '../support/certificates.ts';
import { createDatabase, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { temporaryFolder } from '../support/process.ts';

/* A real server, whose certificate names localhost and comes from an authority that nobody knows. */

const folder = temporaryFolder();
const ours = join(folder, 'ours.pem');
const another = join(folder, 'another.pem');
let server: PostgresServer;
let url: string;

beforeAll(async () => {
  const authority = issueCertificate('Our authority');
  const host = issueCertificate('localhost', authority);
  writeFileSync(ours, authority.certificate);
  writeFileSync(another, issueCertificate('Another authority').certificate);
  server = await startPostgres(
    { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
    { 'server.crt': host.certificate, 'server.key': host.key },
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
