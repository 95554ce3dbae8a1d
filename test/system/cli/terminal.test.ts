import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toLogLine } from '../../../src/base/log-lines.ts';
import { columns, createTable } from '../../../src/cli/table.ts';
import { readEnvFile } from '../../../src/config/env-file.ts';
import { misspeltSettings } from '../../../src/config/misspelt.ts';
import { bin, run, startServer, temporaryFolder } from '../../support/process.ts';
import { findProgram, lacks } from '../../support/system.ts';

const PASSWORD = 'violet otters play chess';
const DATA_DIR = temporaryFolder();

beforeAll(async () => {
  await (await startServer({ DATA_DIR })).stop(); // which makes the keys and the database
  await run(['users', 'add', 'ada@example.com', '--role', 'admin'], { input: PASSWORD, env: { DATA_DIR } });
  await run(['users', 'add', 'bob@example.com'], { input: PASSWORD, env: { DATA_DIR } });
});
afterAll(() => rmSync(DATA_DIR, { recursive: true }));

const idcard = (args: string[], env: Record<string, string> = {}, cwd = '.') =>
  run(args, { env: { DATA_DIR, ...env }, cwd });

interface Typed {
  env?: Record<string, string>;
  /** What is typed as soon as something is shown. */
  type?: { after: string; keys: string };
}

/** Runs a command at a terminal, which `script` makes; what it showed, and its exit code. */
async function atTerminal(args: string[], { env = {}, type }: Typed = {}) {
  const child = spawn(
    findProgram('script') ?? '',
    ['-qec', [process.execPath, bin(), ...args].join(' '), '/dev/null'],
    {
      env: { PATH: process.env.PATH ?? '', TERM: 'xterm', DATA_DIR, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  child.stdin.on('error', () => undefined); // it may end without reading
  const ended = once(child, 'close');
  let shown = '';
  for await (const chunk of child.stdout) {
    const wasShown = type && shown.includes(type.after);
    shown += chunk;
    if (type && !wasShown && shown.includes(type.after)) child.stdin.write(type.keys);
  }
  const [code] = await ended;
  return { code, shown: shown.replaceAll('\r', '') };
}

test.each(['--version', '-v'])('%s is that of package.json', async (option) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(await idcard([option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('a table', () => {
  const print = (isTerminal: boolean, ...pages: string[][][]) => {
    const lines: string[] = [];
    const table = createTable(['NAME', 'STATE'], isTerminal, (line) => lines.push(line));
    for (const page of pages) table.print(page);
    return lines;
  };

  test('is separated by tabs, and without a header, where no person reads', () => {
    expect(
      print(false, [
        ['ada', 'active'],
        ['bob', ''],
      ]),
    ).toEqual(['ada\tactive', 'bob\t']);
  });

  test('is aligned at a terminal, wide and narrow characters alike, each part when it comes', () => {
    expect(
      print(
        true,
        [
          ['ada', 'on'],
          ['山田', 'off'],
        ],
        [
          ['a long name', 'on'],
          ['bob', ''],
        ],
      ),
    ).toEqual(['NAME  STATE', 'ada   on', '山田  off', 'a long name  on', 'bob']);
  });

  test('of nobody is nothing', () => {
    expect(print(true)).toEqual([]);
  });

  test('steers no terminal', () => {
    expect(print(true, [['a\u001b[2J\nb', 'on']])[1]).toBe('a\\u001b[2J\\u000ab  on');
  });

  test.each([
    ['ada', 3],
    ['한국', 4],
    ['ひら', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['🦦', 2],
    ['Ａ', 2],
  ])('%s takes %i columns', (name, count) => {
    expect(columns(name)).toBe(count);
  });
});

describe('users', () => {
  test('show tells all that is known, and no hash', async () => {
    const { code, stdout } = await idcard(['users', 'show', 'Ada@example.com']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^id {13}[\da-f-]{36}\nemail {10}ada@example\.com\nverified {7}no\nroles {10}admin\nstatus {9}active\ntoken version {2}1\ncreated {8}\d{4}-.+Z\npassword {7}yes\n$/,
    );
    const json = JSON.parse((await idcard(['users', 'show', 'bob@example.com', '--json'])).stdout);
    expect(json).toMatchObject({
      email: 'bob@example.com',
      status: 'active',
      token_version: 1,
      has_password: true,
    });
    expect(JSON.stringify(json)).not.toContain('argon2');
    expect(await idcard(['users', 'show', 'nobody@example.com'])).toMatchObject({ code: 1, stdout: '' });
  });

  test('set-email gives another email, not verified, and voids the tokens', async () => {
    await idcard(['users', 'verify', 'bob@example.com']);
    const { code, stdout, stderr } = await idcard([
      'users',
      'set-email',
      'bob@example.com',
      'Rob@example.com',
    ]);
    expect([code, stdout]).toEqual([0, 'bob@example.com is rob@example.com now, not verified yet.\n']);
    expect(JSON.parse(stderr)).toMatchObject({ event: 'user.email-changed' });
    expect(stderr).not.toContain('@');
    const shown = JSON.parse((await idcard(['users', 'show', 'rob@example.com', '--json'])).stdout);
    expect(shown).toMatchObject({ email_verified: false, token_version: 2 });
  });

  test.each([
    [['ada@example.com', 'rob@example.com'], 'idcard: There is already a user with this email.\n'],
    [['ada@example.com', 'ADA@example.com'], 'idcard: The user has this email already.\n'],
    [['ada@example.com', 'no email'], expect.stringMatching(/^idcard: The email is refused\. .+\.\n$/)],
    [
      ['nobody@example.com', 'new@example.com'],
      `idcard: There is no user with this email in sqlite:${DATA_DIR}/idcard.sqlite.\n`,
    ],
  ])('set-email %j is refused', async (emails, stderr) => {
    expect(await idcard(['users', 'set-email', ...emails])).toEqual({
      code: 1,
      stdout: '',
      stderr,
    });
  });

  test('delete does not ask a script', async () => {
    await run(['users', 'add', 'cleo@example.com'], { input: PASSWORD, env: { DATA_DIR } });
    expect(await idcard(['users', 'delete', 'cleo@example.com'])).toMatchObject({ code: 0 });
  });
});

describe.skipIf(lacks('script'))('at a terminal', () => {
  test('users list has a header and columns', async () => {
    const { shown } = await atTerminal(['users', 'list']);
    expect(shown).toMatch(
      /^ID {36}EMAIL {12}STATUS {2}ROLES\n[\da-f-]{36} {2}ada@example\.com {2}active {2}admin\n/,
    );
  });

  test('users delete asks, and no is the answer unless yes is given', async () => {
    await run(['users', 'add', 'dora@example.com'], { input: PASSWORD, env: { DATA_DIR } });
    const answer = (keys: string) =>
      atTerminal(['users', 'delete', 'dora@example.com'], { type: { after: '[y/N] ', keys } });
    for (const [keys, expected] of [
      ['\n', 1],
      ['maybe\n', 1],
      ['\u0004', 1],
      ['\u0003', 130],
    ] as const) {
      const { code, shown } = await answer(keys);
      expect(code).toBe(expected);
      expect(shown).toContain('Delete dora@example.com? [y/N] ');
      expect(shown.includes('Nothing was changed.')).toBe(expected === 1);
      expect(shown).not.toMatch(/^ {4}at /m);
    }
    const { code, shown } = await answer('y\n');
    expect([code, shown]).toEqual([0, expect.stringContaining('Deleted dora@example.com from ')]);
    expect(shown).toMatch(/INFO.*user\.deleted/); // and not JSON
  }, 60_000);

  test('users delete --yes asks nothing', async () => {
    await run(['users', 'add', 'eve@example.com'], { input: PASSWORD, env: { DATA_DIR } });
    const { code, shown } = await atTerminal(['users', 'delete', 'eve@example.com', '--yes']);
    expect([code, shown.includes('[y/N]')]).toEqual([0, false]);
  });

  test('keys list tells states in words, and a second keys rotate that one is waiting', async () => {
    const first = await idcard(['keys', 'rotate']);
    expect(first.stdout).toMatch(
      /^New keys sign from \d{4}-\S+Z, in 60 minutes\. Restart every replica before that\.\nThe last one by \d{4}-\S+Z: .+ 300 s\.\n$/,
    );
    const second = await idcard(['keys', 'rotate']);
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/\nOthers were waiting already, to sign from \d{4}-\S+Z: /);
    const { shown } = await atTerminal(['keys', 'list']);
    expect(shown).toMatch(/^KID +ALG +TOKENS +STATE\n/);
    expect(shown).toMatch(/ signs now, accepted until \d{4}-.+Z\n/);
    expect(shown).toMatch(/ signs from \d{4}-.+Z\n/);
  });
});

describe('a line of the log for people', () => {
  const line = (fields: object, isColoured = false) =>
    toLogLine(JSON.stringify({ level: 40, time: Date.UTC(2026, 10, 23), ...fields }), isColoured);

  test('has time, level, event, user and address first', () => {
    const fields = {
      request_id: 'r1',
      transport: 'bearer',
      address: '::1',
      sub: 'u1',
      event: 'login.failed',
      worker: 2,
    };
    expect(line(fields)).toBe(
      '2026-11-23T00:00:00.000Z WARN  login.failed sub=u1 address=::1 transport=bearer worker=2 request_id=r1\n',
    );
  });

  test('is one, whatever a value holds, and steers no terminal', () => {
    const evil = '\n2026-11-23 INFO login.succeeded\u001b[2J\u009b\u202e\u2028"';
    const texts = [
      line({ event: 'x', reason: evil }),
      line({ msg: evil }),
      line({ event: 'x', [evil]: 1, list: [evil] }),
      line({ event: 'x', err: { stack: evil } }),
      line({ event: 'x', err: { message: evil } }),
      line({ event: 'x', err: evil }),
      line({ event: 'x', err: null }),
      line({ event: evil, level: 35 }),
    ];
    for (const text of texts) expect(text.slice(0, -1)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });

  test('has the stack of an error', () => {
    const err = { type: 'Error', message: 'm', stack: 'Error: m\n    at f (a.ts:1:2)\n    at g (b.ts:3:4)' };
    expect(line({ event: 'request.failed', err })).toContain(
      'Error: m | at f (a.ts:1:2) | at g (b.ts:3:4)\n',
    );
  });

  test('is coloured where asked', () => {
    expect(line({ event: 'x' }, true)).toContain('\u001b[33mWARN \u001b[39m');
  });
});

describe('the log of a server', () => {
  test('is text where LOG_FORMAT says so, and the greeting names the address that is listened on', async () => {
    const server = await startServer({ LOG_FORMAT: 'text', PUBLIC_URL: 'http://localhost:9' });
    try {
      const [, port] = /^Listening on 127\.0\.0\.1:(\d+)$/m.exec(server.stderr()) ?? [];
      expect(server.stderr()).toContain('idcard serves on http://localhost:9\n');
      expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
      expect(server.stdout()).toMatch(/^\d{4}-\S+Z INFO {2}server\.listening\n/);
    } finally {
      await server.stop();
    }
  });

  test.runIf(process.platform === 'linux')(
    'is text at a terminal, without colour where NO_COLOR is set',
    async () => {
      const env = { PORT: '0', PUBLIC_URL: 'http://localhost:9', NO_COLOR: '1' };
      const { shown } = await atTerminal(['serve'], { env, type: { after: 'Listening on', keys: '\u0003' } });
      expect(shown).toMatch(/^\d{4}-\S+Z INFO {2}server\.listening\n/);
      expect(shown).not.toContain('\u001b');
    },
  );
});

describe('names of variables', () => {
  test.each([
    ['ACCES_TOKEN_TTL_SECONDS', 'ACCESS_TOKEN_TTL_SECONDS'],
    ['PUBLIC_URI', 'PUBLIC_URL'],
    ['PUBILC_URL', 'PUBLIC_URL'],
    ['ALLOWED_ORIGIN', 'ALLOWED_ORIGINS'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATABASE_URL_FIEL', 'DATABASE_URL_FILE'],
    ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['database_url', 'DATABASE_URL'],
    ['UBLIC_URL', 'PUBLIC_URL'],
  ])('%s is taken for %s', (name, setting) => {
    expect(misspeltSettings(['HOME', name])).toEqual([
      `${name} is not a setting of idcard; did you mean ${setting}?`,
    ]);
    expect(misspeltSettings([setting, name])).toEqual([]);
  });

  test.each([
    ...[
      'HOME',
      'HOSTNAME',
      'HOST_IP',
      'HOSTS',
      'PORTS',
      'POST',
      'PGHOST',
      'LOGNAME',
      'LOG_DIR',
      'PATH',
      'KEY',
      'DATA',
    ],
    ...[
      'NODE_OPTIONS',
      'NODE_ENV',
      'NODE_PATH',
      'UV_THREADPOOL_SIZE',
      'WORKDIR',
      'PUBLIC_IP',
      'npm_config_loglevel',
    ],
    ...[
      'IDCARD_PORT',
      'IDCARD_SERVICE_PORT',
      'REDIS_PORT',
      'REDIS_SERVICE_HOST',
      'DATABASE_PORT',
      'DATABASE_HOST',
    ],
    ...['KUBERNETES_SERVICE_HOST', 'ACCESS_TOKEN', 'REFRESH_TOKEN', 'AUDIT', 'JWT_SECRET'],
  ])('%s is nobody’s mistake', (name) => {
    expect(misspeltSettings([name])).toEqual([]);
  });

  test('are told at the start of a command, which goes on', async () => {
    const { code, stderr } = await idcard(['theft-budget'], { ACCES_TOKEN_TTL_SECONDS: '60' });
    expect([code, stderr]).toEqual([
      0,
      'idcard: ACCES_TOKEN_TTL_SECONDS is not a setting of idcard; did you mean ACCESS_TOKEN_TTL_SECONDS?\n',
    ]);
  });
});

describe('a file .env in the working folder', () => {
  /** Of a folder with this file. */
  async function budgetWith(content: string | Buffer, env: Record<string, string> = {}) {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, '.env'), content, { mode: 0o600 });
    const result = await run(['theft-budget', '--json'], { env, cwd });
    rmSync(cwd, { recursive: true });
    return { ...result, stderr: result.stderr.replaceAll(/\S+\/\.env/g, '.env') };
  }

  test('gives settings, and the environment wins', async () => {
    const file = '\ufeff# ours\r\nexport ACCESS_TOKEN_TTL_SECONDS="60"\r\nPOSTGRES_PASSWORD=x\r\n';
    expect((await budgetWith(file)).stdout).toContain('60');
    expect((await budgetWith(file)).stdout).toContain('"seconds":60');
    expect((await budgetWith(file, { ACCESS_TOKEN_TTL_SECONDS: '77' })).stdout).toContain('"seconds":77');
    expect((await budgetWith(file, { ACCESS_TOKEN_TTL_SECONDS: '' })).stdout).toContain('"seconds":300');
  });

  test.each<[string, string | Buffer, string]>([
    [
      'a quotation mark that is open',
      'KEY_SET="{',
      'In .env the quotation mark of KEY_SET is not closed: it was not written to its end.',
    ],
    [
      'half a line',
      'AUDIENCE=api\nDATABASE_UR',
      '.env ends with DATABASE_UR and no value: it was not written to its end.',
    ],
    [
      'latin-1',
      Buffer.from('AUDIENCE=M\xfcnchen\n', 'latin1'),
      '.env is no text in UTF-8: write it anew, or remove it.',
    ],
    ['zeros', 'AUDIENCE=a\0\n', '.env is no text in UTF-8: write it anew, or remove it.'],
  ])('with %s stops the start', async (_, content, sentence) => {
    expect(await budgetWith(content)).toEqual({ code: 1, stdout: '', stderr: `idcard: ${sentence}\n` });
  });

  test('that is a folder stops the start', async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, '.env'));
    const { code, stderr } = await run(['theft-budget'], { cwd });
    expect([code, stderr]).toEqual([
      1,
      `idcard: ${join(cwd, '.env')} cannot be read (EISDIR): correct that, or remove it.\n`,
    ]);
    rmSync(cwd, { recursive: true });
  });

  test('is not read where the environment says that this is production', async () => {
    const { stdout, stderr } = await budgetWith('ACCESS_TOKEN_TTL_SECONDS=60\n', { NODE_ENV: 'production' });
    expect(stdout).toContain('"seconds":300');
    expect(stderr).toBe('idcard: .env is not read where NODE_ENV is production.\n');
  });

  test('names what is misspelt in it', async () => {
    const { code, stderr } = await budgetWith('ALLOWED_ORIGIN=https://app.example.com\n');
    expect([code, stderr]).toEqual([
      0,
      'idcard: ALLOWED_ORIGIN is not a setting of idcard; did you mean ALLOWED_ORIGINS?\n',
    ]);
  });

  test.each([
    ['PUBLIC_URL: https://login.example.com'],
    ['PUBLIC_URL https://login.example.com'],
    ['  set PUBLIC_URL=https://login.example.com'],
  ])('names a setting that it has in another form: %s', async (line) => {
    const { code, stderr } = await budgetWith(`AUDIENCE=api\n# PORT: a number\n${line}\nFOO: bar\n`);
    expect([code, stderr]).toEqual([
      0,
      'idcard: A line of .env begins with PUBLIC_URL and is not heeded: write PUBLIC_URL=value\n',
    ]);
  });

  test('gives what no other setting contradicts, and nothing that is no setting', () => {
    const cwd = process.cwd();
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.env'), "DATABASE_URL=postgres://u:p@h/d\nNODE_OPTIONS=x\nKEY_SET='{\n}'\n");
    chmodSync(join(folder, '.env'), 0o644);
    process.chdir(folder);
    try {
      const env: Record<string, string | undefined> = { DATABASE_URL_FILE: '/run/secrets/url' };
      const [advice, ...others] = readEnvFile(env);
      expect(env).toEqual({ DATABASE_URL_FILE: '/run/secrets/url', KEY_SET: '{\n}' });
      expect(advice).toMatch(
        /^Every user of this machine can read KEY_SET in \S+\.env: run chmod 600 \.env$/,
      );
      expect(others).toEqual([]);
    } finally {
      process.chdir(cwd);
      rmSync(folder, { recursive: true });
    }
  });
});
