import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { StartupError } from '../../src/base/startup-error.ts';
import { parsePostgresUrl } from '../../src/database/postgres-url.ts';
import { issueCertificate } from '../support/certificates.ts';
import { temporaryFolder } from '../support/process.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const certificate = join(folder, 'root.pem');
const authority = issueCertificate('Our authority');
writeFileSync(certificate, authority.certificate);
const key = join(folder, 'key.pem');
writeFileSync(key, authority.key);

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

/** What a URL says where it says nothing about it. */
const DEFAULTS = {
  applicationName: 'idcard',
  channelBinding: 'prefer',
  sslNegotiation: 'postgres',
  keepAlive: true,
  keepAliveDelayMs: 0,
};
const PUBLIC = { rejectUnauthorized: true };
const UNCHECKED = { rejectUnauthorized: false };

describe('a URL', () => {
  test('names the server, the user and the database, each percent-decoded', () => {
    expect(
      parsePostgresUrl(
        'postgresql://ada%40work:p%2Fss%23%20%C3%BC@db.example.com:6432/id%20card?sslmode=disable',
      ),
    ).toEqual({
      ...DEFAULTS,
      hosts: [{ host: 'db.example.com', port: 6432, ssl: false }],
      user: 'ada@work',
      password: 'p/ss# ü',
      database: 'id card',
    });
  });

  test.each([
    ['postgres://ada@localhost/idcard', 'localhost'],
    ['postgres://ada@127.0.0.1/idcard', '127.0.0.1'],
    ['postgres://ada@[::1]/idcard', '::1'],
    ['postgres://ada@%2Frun%2Fpostgresql/idcard', '/run/postgresql'],
    ['postgres://ada@/idcard?host=/run/postgresql', '/run/postgresql'],
    ['postgres:///?host=localhost&user=ada&dbname=idcard', 'localhost'],
    ['postgres://localhost/idcard?user=ada', 'localhost'],
  ])('of this machine, %s, needs no word about TLS, and has a default port', (url, host) => {
    expect(parsePostgresUrl(url)).toEqual({
      ...DEFAULTS,
      hosts: [{ host, port: 5432, ssl: false }],
      user: 'ada',
      database: 'idcard',
    });
  });

  test.each([
    'postgres://',
    'postgres://localhost/idcard',
    'postgres://ada:secret@localhost',
    'postgres://ada:secret@localhost/',
    'postgres://ada:secret@localhost/a/b',
    'postgres://ada:secret@localhost:port/idcard',
    'postgres://ada:secret@localhost:99999/idcard',
    'postgres://ada:secret@localhost:0/idcard',
    'postgres://ada:secret@a,/idcard',
    'postgres://ada:secret@a,b/idcard?port=1,2,3',
    'postgres://ada:secret%zz@localhost/idcard',
    'postgres://ada:sec#ret@localhost/idcard',
    'postgres://ada:1?secret&x=y@localhost/idcard',
    'postgres://ada:1/secret@localhost/idcard',
    'postgres://ada:secret@/idcard',
    'postgres://ada:secret@localhost/idcard#x',
    'postgres://ada:secret@localhost/idcard?options=%zz',
    'Postgres://ada:secret@localhost/idcard',
  ])('%s is refused without a word of what stands in it', (url) => {
    const message = refusal(url);
    expect(message).toMatch(/^DATABASE_URL must look like postgres:\/\/user:password@host:5432\/name/);
    expect(message).not.toMatch(/secret|ada/);
  });
});

describe('a URL as a host prints it is taken:', () => {
  const pooler = 'aws-0-eu-central-1.pooler.supabase.com';
  test.each([
    [
      'Neon',
      'postgresql://ada:secret@ep-x-1-pooler.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
      {
        hosts: [{ host: 'ep-x-1-pooler.eu-central-1.aws.neon.tech', port: 5432, ssl: UNCHECKED }],
        channelBinding: 'require',
      },
    ],
    [
      'Neon, for Prisma',
      'postgres://ada:secret@ep-x-1-pooler.aws.neon.tech/db?connect_timeout=15&pgbouncer=true&sslmode=require',
      {
        hosts: [{ host: 'ep-x-1-pooler.aws.neon.tech', port: 5432, ssl: UNCHECKED }],
        startTimeoutMs: 15_000,
      },
    ],
    [
      'Supabase, its pooler of transactions',
      `postgresql://postgres.projectref:secret@${pooler}:6543/postgres?pgbouncer=true&sslmode=verify-full`,
      { hosts: [{ host: pooler, port: 6543, ssl: PUBLIC }], user: 'postgres.projectref' },
    ],
    [
      'Supabase, its pooler of sessions, by way of Vercel',
      `postgres://postgres.projectref:secret@${pooler}:5432/postgres?sslmode=require&supa=base-pooler.x`,
      { hosts: [{ host: pooler, port: 5432, ssl: UNCHECKED }], user: 'postgres.projectref' },
    ],
    [
      'RDS, with the authority that it says to download',
      'postgres://ada:secret@x.abc.eu-central-1.rds.amazonaws.com:5432/db?sslmode=verify-full&sslrootcert=CERTIFICATE',
      {
        hosts: [
          {
            host: 'x.abc.eu-central-1.rds.amazonaws.com',
            port: 5432,
            ssl: { ...PUBLIC, ca: authority.certificate },
          },
        ],
      },
    ],
    [
      'DigitalOcean',
      'postgresql://doadmin:secret@db-do-user-1-0.b.db.ondigitalocean.com:25060/defaultdb?sslmode=require',
      {
        hosts: [{ host: 'db-do-user-1-0.b.db.ondigitalocean.com', port: 25_060, ssl: UNCHECKED }],
        user: 'doadmin',
      },
    ],
    [
      'Aiven',
      'postgres://avnadmin:secret@pg-1-x.aivencloud.com:12345/defaultdb?sslmode=require',
      { hosts: [{ host: 'pg-1-x.aivencloud.com', port: 12_345, ssl: UNCHECKED }], user: 'avnadmin' },
    ],
    [
      'Azure',
      'postgres://ada%40server:secret@server.postgres.database.azure.com:5432/postgres?sslmode=require',
      {
        hosts: [{ host: 'server.postgres.database.azure.com', port: 5432, ssl: UNCHECKED }],
        user: 'ada@server',
      },
    ],
    [
      'Google Cloud SQL, over its socket',
      'postgres://ada:secret@/db?host=/cloudsql/project:europe-west1:instance',
      { hosts: [{ host: '/cloudsql/project:europe-west1:instance', port: 5432, ssl: false }] },
    ],
    [
      'Fly',
      'postgres://ada:secret@app-db.flycast:5432/app?sslmode=disable',
      { hosts: [{ host: 'app-db.flycast', port: 5432, ssl: false }] },
    ],
    [
      'CockroachDB',
      'postgresql://ada:secret@x-1.aws-eu-central-1.cockroachlabs.cloud:26257/defaultdb?sslmode=verify-full&options=--cluster%3Dx-1',
      {
        hosts: [{ host: 'x-1.aws-eu-central-1.cockroachlabs.cloud', port: 26_257, ssl: PUBLIC }],
        options: '--cluster=x-1',
      },
    ],
  ])('%s', (_who, url, expected) => {
    expect(parsePostgresUrl(url.replace('CERTIFICATE', certificate))).toMatchObject({
      password: 'secret',
      ...expected,
    });
  });

  test.each([
    ['Heroku', 'postgres://ada:secret@ec2-1-2-3-4.compute-1.amazonaws.com:5432/db'],
    ['Railway', 'postgresql://postgres:secret@x.proxy.rlwy.net:12345/railway'],
    ['Render', 'postgresql://ada:secret@dpg-x-a.frankfurt-postgres.render.com/db'],
    ['Supabase', 'postgresql://postgres:secret@db.projectref.supabase.co:5432/postgres'],
  ])('but where it says nothing about TLS, as %s does, that has to be added', (_who, url) => {
    expect(refusal(url)).toMatch(
      /^DATABASE_URL must say how the connection is protected: add \?sslmode=verify-full/,
    );
    expect(parsePostgresUrl(`${url}?sslmode=require`).hosts[0]?.ssl).toEqual(UNCHECKED);
  });
});

describe('the parameter', () => {
  const parse = (parameters: string) =>
    parsePostgresUrl(`postgres://ada:secret@localhost/idcard?${parameters}`);

  test.each([
    ['application_name=login', { applicationName: 'login' }],
    ['application_name=', { applicationName: 'idcard' }],
    ['fallback_application_name=login', { applicationName: 'login' }],
    ['fallback_application_name=other&application_name=login', { applicationName: 'login' }],
    ['options=-c%20search_path%3Dlogin', { options: '-c search_path=login' }],
    ['options=-c search_path=a+b', { options: '-c search_path=a+b' }],
    ['connect_timeout=10', { startTimeoutMs: 10_000 }],
    ['connect_timeout=0', DEFAULTS],
    ['keepalives=0', { keepAlive: false }],
    ['keepalives=1&keepalives_idle=30', { keepAliveDelayMs: 30_000 }],
    ['channel_binding=disable', { channelBinding: 'disable' }],
    ['sslmode=require&sslnegotiation=direct', { sslNegotiation: 'direct' }],
    ['require_auth=scram-sha-256', { methods: new Set(['scram-sha-256']) }],
    ['require_auth=!password,!md5', { methods: new Set(['scram-sha-256', 'none']) }],
    [
      'host=a,b&port=1,2&sslmode=disable',
      {
        hosts: [
          { host: 'a', port: 1, ssl: false },
          { host: 'b', port: 2, ssl: false },
        ],
      },
    ],
    ['user=bob&password=other&dbname=login&port=6432', { user: 'bob', password: 'other', database: 'login' }],
    ['sslmode=disable&sslmode=disable', DEFAULTS],
    ['&&sslmode=disable&', DEFAULTS],
  ])('%s is kept', (parameters, expected) => {
    expect(parse(parameters)).toMatchObject(expected);
  });

  test.each([
    'client_encoding=UTF8',
    'gssencmode=prefer',
    'keepalives_interval=5&keepalives_count=2&tcp_user_timeout=1000',
    'sslcompression=0&sslsni=1&sslcertmode=allow',
    'target_session_attrs=read-write',
    'target_session_attrs=primary',
    'target_session_attrs=any',
    'load_balance_hosts=disable',
    'load_balance_hosts=random',
    'replication=false',
    'min_protocol_version=3.0&max_protocol_version=latest',
    'pgbouncer=true&uselibpqcompat=true&workaround=supabase-pooler.vercel',
  ])('%s changes nothing', (parameters) => {
    expect(parse(parameters)).toMatchObject(DEFAULTS);
  });

  test.each([
    ['SSLMODE=disable', 'idcard does not know: remove it'],
    ['toString=x', 'idcard does not know: remove it'],
    ['hostaddr=10.0.0.1', 'name the address as the host'],
    ['passfile=/root/.pgpass', 'DATABASE_URL_FILE'],
    ['service=login', 'write out what the service says'],
    ['schema=login', 'options=-c%20search_path%3D'],
    ['connection_limit=1', 'DATABASE_POOL_SIZE'],
    ['sslcrl=/lists.pem', 'no list of revoked certificates'],
    ['sslcrldir=/lists', 'no list of revoked certificates'],
    ['requirepeer=postgres', 'could not be kept'],
    ['gssencmode=require', 'cannot keep: write disable or prefer'],
    ['channel_binding=Require', 'cannot keep: write disable or prefer or require'],
    ['channel_binding=', 'cannot keep'],
    ['target_session_attrs=standby', 'cannot keep: write read-write or primary or any'],
    ['target_session_attrs=read-only', 'cannot keep'],
    ['target_session_attrs=prefer-standby', 'cannot keep'],
    ['require_auth=gss', 'cannot keep'],
    ['require_auth=md5,!password', 'what is allowed, or what is not'],
    ['client_encoding=LATIN1', 'cannot keep'],
    ['replication=database', 'cannot keep'],
    ['sslsni=0', 'cannot keep'],
    ['min_protocol_version=3.2', 'cannot keep'],
    ['ssl=false', 'cannot keep: write true'],
    ['ssl=true&sslmode=disable', 'two things'],
    ['sslmode=disable&sslmode=require', 'two things as sslmode'],
    ['channel_binding=require', 'sslmode=verify-full, or require, for channel_binding=require'],
    ['sslnegotiation=direct', 'they are of TLS'],
    ['ssl_min_protocol_version=TLSv9', 'cannot keep: write TLSv1 or'],
    ['sec-ret=1', 'a parameter, which'],
  ])('%s, which would be ignored, is refused', (parameter, reason) => {
    const message = refusal(`postgres://ada:secret@localhost/idcard?${parameter}`);
    expect(message).toContain(reason);
    expect(message).not.toMatch(/secret|sec-ret/);
  });
});

describe('several hosts', () => {
  test('have each their port, and their protection', () => {
    const { hosts } = parsePostgresUrl(
      'postgres://ada:s,ecret@localhost,[::1]:5433,b.example.com:5434/idcard?sslmode=verify-full',
    );
    expect(hosts).toEqual([
      { host: 'localhost', port: 5432, ssl: PUBLIC },
      { host: '::1', port: 5433, ssl: PUBLIC },
      { host: 'b.example.com', port: 5434, ssl: PUBLIC },
    ]);
  });

  test('of which one is not this machine must say how they are protected', () => {
    expect(parsePostgresUrl('postgres://ada@localhost:1,localhost:2/idcard').hosts).toHaveLength(2);
    expect(refusal('postgres://ada@localhost:1,db.example.com:2/idcard')).toContain(
      'how the connection is protected',
    );
  });

  test('have one port as a parameter for all', () => {
    const { hosts } = parsePostgresUrl('postgres://ada@localhost,127.0.0.1/idcard?port=6432');
    expect(hosts.map(({ port }) => port)).toEqual([6432, 6432]);
  });

  test('are shuffled with load_balance_hosts=random, and none is lost', () => {
    const names = Array.from({ length: 40 }, (_, index) => `h${index}`);
    const { hosts } = parsePostgresUrl(
      `postgres://ada@${names}/idcard?load_balance_hosts=random&sslmode=disable`,
    );
    const shuffled = hosts.map(({ host }) => host);
    expect(shuffled).not.toEqual(names);
    expect(shuffled.toSorted()).toEqual(names.toSorted());
  });
});

describe('sslmode', () => {
  const ssl = (parameters: string) =>
    parsePostgresUrl(`postgres://ada:secret@db.example.com/idcard?${parameters}`).hosts[0]?.ssl;
  const ca = authority.certificate;

  test('disable is plain text', () => {
    expect(ssl('sslmode=disable')).toBe(false);
  });

  test('require encrypts and believes every certificate, unless an authority is named', () => {
    expect(ssl('sslmode=require')).toEqual(UNCHECKED);
    expect(ssl('ssl=true')).toEqual(UNCHECKED);
    expect(ssl(`sslmode=require&sslrootcert=${certificate}`)).toEqual({
      ...PUBLIC,
      ca,
      checkServerIdentity: expect.any(Function),
    });
  });

  test('verify-ca believes an authority that is named', () => {
    expect(ssl(`sslmode=verify-ca&sslrootcert=${certificate}`)).toEqual({
      ...PUBLIC,
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
    expect(ssl('sslmode=verify-full')).toEqual(PUBLIC);
    expect(ssl('sslmode=verify-full&ssl=true')).toEqual(PUBLIC);
    expect(ssl('sslmode=verify-full&sslrootcert=system')).toEqual(PUBLIC);
    expect(ssl('sslrootcert=system')).toEqual(PUBLIC);
    expect(ssl(`sslmode=verify-full&sslrootcert=${certificate}`)).toEqual({ ...PUBLIC, ca });
  });

  test('goes with a certificate of our own, and versions', () => {
    expect(
      ssl(`sslmode=verify-full&sslcert=${certificate}&sslkey=${key}&ssl_min_protocol_version=TLSv1.3`),
    ).toEqual({ ...PUBLIC, cert: authority.certificate, key: authority.key, minVersion: 'TLSv1.3' });
    const url = (parameters: string) => `postgres://ada:secret@db.example.com/idcard?${parameters}`;
    expect(refusal(url(`sslmode=verify-full&sslcert=${certificate}`))).toContain('both sslcert and sslkey');
    expect(refusal(url(`sslmode=verify-full&sslcert=${certificate}&sslkey=${certificate}`))).toContain(
      'cannot be used',
    );
  });

  test.each([
    '',
    'sslmode=prefer',
    'sslmode=allow',
    'sslmode=',
    'sslmode=Require',
    'sslmode=no-verify',
    `sslrootcert=${certificate}`,
  ])('must be said, and not fall back to plain text: "%s" is refused', (parameters) => {
    expect(refusal(`postgres://ada:secret@db.example.com/idcard?${parameters}`)).toMatch(
      /^DATABASE_URL must say how the connection is protected: (?:add \?sslmode=verify-full|write sslmode=require)/,
    );
  });

  test('that is said counts on this machine too, but not for a Unix socket, as in libpq', () => {
    expect(parsePostgresUrl('postgres://ada@localhost/idcard?sslmode=require').hosts[0]?.ssl).toEqual(
      UNCHECKED,
    );
    expect(refusal('postgres://ada@localhost/idcard?sslmode=prefer')).toContain('sslmode');
    expect(parsePostgresUrl('postgres://ada@/idcard?host=/run&sslmode=require').hosts[0]?.ssl).toBe(false);
  });

  test('with a file that cannot be read is refused', () => {
    expect(refusal('postgres://ada@db.example.com/idcard?sslmode=verify-full&sslrootcert=/missing')).toBe(
      'DATABASE_URL names a file as sslrootcert that cannot be read.',
    );
  });
});
