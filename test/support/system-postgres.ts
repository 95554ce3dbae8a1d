import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort, temporaryFolder } from './process.ts';

const PASSWORD = 'violet otters';
/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** The folder of a server and of its clients, which the package that embeds a server has not; where Debian has them. */
export function findPostgresPrograms(): string | undefined {
  const folders = globSync('/usr/lib/postgresql/*/bin/pg_dump').map(dirname);
  return folders
    .filter((folder) => existsSync(join(folder, 'initdb')))
    .sort()
    .at(-1);
}

export interface SystemPostgres {
  port: number;
  password: string;
  /** What its clients need in their environment, with a password file instead of a password. */
  env: Record<string, string>;
  stop(): void;
}

/** Starts a server of the system's PostgreSQL, with a database and its owner, both called idcard. */
export async function startSystemPostgres(programs: string): Promise<SystemPostgres> {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const port = await findFreePort();
  const options = { ...identity, cwd: folder, env: { LC_ALL: 'C' } };
  const run = (program: string, args: string[]) =>
    promisify(execFile)(join(programs, program), args, options);
  writeFileSync(join(folder, 'password'), PASSWORD);
  if (identity.uid !== undefined) chownSync(folder, NOBODY, NOBODY);
  await run('initdb', [
    '--username=postgres',
    `--pwfile=${join(folder, 'password')}`,
    '--auth=scram-sha-256',
    `--pgdata=${data}`,
  ]);
  const settings = `-c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c port=${port} -c fsync=off`;
  await run('pg_ctl', [
    'start',
    '--wait',
    `--pgdata=${data}`,
    `--log=${join(folder, 'log')}`,
    `--options=${settings}`,
  ]);

  const passwords = join(temporaryFolder(), 'pgpass');
  writeFileSync(passwords, `127.0.0.1:${port}:*:*:${PASSWORD}\n`, { mode: 0o600 });
  return {
    port,
    password: PASSWORD,
    env: {
      PGHOST: '127.0.0.1',
      PGPORT: String(port),
      PGUSER: 'postgres',
      PGDATABASE: 'idcard',
      PGPASSFILE: passwords,
    },
    stop() {
      execFileSync(join(programs, 'pg_ctl'), ['stop', '--mode=immediate', `--pgdata=${data}`], options);
      rmSync(folder, { recursive: true, force: true });
      rmSync(dirname(passwords), { recursive: true, force: true });
    },
  };
}
