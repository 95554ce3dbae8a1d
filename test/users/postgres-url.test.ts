import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { StartupError } from '../../src/startup-error.ts';
import { parsePostgresUrl } from '../../src/users/databases/postgres-url.ts';
import { temporaryFolder } from '../support/process.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const certificate = join(folder, 'root.pem');
writeFileSync(certificate, 'the certificate of an authority');

function refusal(url: string): string {
  try {
    parsePostgresUrl(url);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    expect(error.message).toMatch(/^[^\n]+\.$/);
    return error.message;
  }
  throw new Error(`${url} was accepted.`);
}

describe('a URL', () => {
  test('names the server, the user and the database, each percent-decoded', () => {
    expect(
      parsePostgresUrl(
        'postgresql://ada%40work:p%2Fss%23%20%C3%BC@db.example.com:6432/id%20card?sslmode=disable',
      ),
    ).toEqual({
      host: 'db.example.com',
      port: 6432,
      user: 'ada@work',
      password: 'p/ss# ü',
      database: 'id card',
      ssl: false,
    });
  });

  test.each([
    ['postgres://ada@localhost/idcard', 'localhost'],
    ['postgres://ada@127.0.0.1/idcard', '127.0.0.1'],
    ['postgres://ada@[::1]/idcard', '::1'],
    ['postgres://ada@%2Frun%2Fpostgresql/idcard', '/run/postgresql'],
  ])('of this machine, %s, needs no word about TLS, and has a default port', (url, host) => {
    expect(parsePostgresUrl(url)).toEqual({ host, port: 5432, user: 'ada', database: 'idcard', ssl: false });
  });

  test.each([
    'postgres://',
    'postgres://localhost/idcard',
    'postgres://ada:secret@localhost',
    'postgres://ada:secret@localhost/',
    'postgres://ada:secret@localhost/a/b',
    'postgres://ada:secret@localhost:port/idcard',
    'postgres://ada:secret@localhost:99999/idcard',
    'postgres://ada:secret%zz@localhost/idcard',
    'postgres://ada:sec#ret@localhost/idcard',
    'postgres://ada:secret@/idcard',
    'postgres://ada:secret@localhost/idcard#x',
  ])('%s is refused without a word of what stands in it', (url) => {
    const message = refusal(url);
    expect(message).toMatch(/^DATABASE_URL must look like postgres:\/\/user:password@host:5432\/name/);
    expect(message).not.toMatch(/secret|ada/);
  });

  test.each(['channel_binding=require', 'sslcert=a', 'SSLMODE=disable', 'host=elsewhere', 'ssl=true'])(
    'with the parameter %s, which would be ignored, is refused',
    (parameter) => {
      const message = refusal(`postgres://ada:secret@localhost/idcard?sslmode=verify-full&${parameter}`);
      expect(message).toContain(`"${parameter.split('=')[0]}"`);
      expect(message).not.toContain('secret');
    },
  );
});

describe('sslmode', () => {
  const ssl = (parameters: string) =>
    parsePostgresUrl(`postgres://ada:secret@db.example.com/idcard?${parameters}`).ssl;
  const ca = 'the certificate of an authority';

  test('disable is plain text', () => {
    expect(ssl('sslmode=disable')).toBe(false);
  });

  test('require encrypts and believes every certificate, unless an authority is named', () => {
    expect(ssl('sslmode=require')).toEqual({ rejectUnauthorized: false });
    expect(ssl(`sslmode=require&sslrootcert=${certificate}`)).toEqual({
      ca,
      checkServerIdentity: expect.any(Function),
    });
  });

  test('verify-ca believes an authority that is named', () => {
    expect(ssl(`sslmode=verify-ca&sslrootcert=${certificate}`)).toEqual({
      ca,
      checkServerIdentity: expect.any(Function),
    });
    for (const rest of ['', '&sslrootcert=system']) {
      expect(refusal(`postgres://ada@db.example.com/idcard?sslmode=verify-ca${rest}`)).toContain(
        'sslrootcert',
      );
    }
  });

  test('verify-full believes the public authorities, or the one that is named', () => {
    expect(ssl('sslmode=verify-full')).toEqual({});
    expect(ssl('sslmode=verify-full&sslrootcert=system')).toEqual({});
    expect(ssl(`sslmode=verify-full&sslrootcert=${certificate}`)).toEqual({ ca });
  });

  test.each([
    '',
    'sslmode=prefer',
    'sslmode=allow',
    'sslmode=',
    'sslmode=Require',
    `sslrootcert=${certificate}`,
  ])('must be said, and not fall back to plain text: "%s" is refused', (parameters) => {
    expect(refusal(`postgres://ada:secret@db.example.com/idcard?${parameters}`)).toMatch(
      /^DATABASE_URL must say how the connection is protected: add \?sslmode=verify-full/,
    );
  });

  test('that is said counts on this machine too', () => {
    expect(parsePostgresUrl('postgres://ada@localhost/idcard?sslmode=require').ssl).toEqual({
      rejectUnauthorized: false,
    });
    expect(refusal('postgres://ada@localhost/idcard?sslmode=prefer')).toContain('sslmode');
  });

  test('with a file that cannot be read is refused', () => {
    expect(refusal('postgres://ada@db.example.com/idcard?sslmode=verify-full&sslrootcert=/missing')).toBe(
      'DATABASE_URL names a file as sslrootcert that cannot be read.',
    );
  });
});
