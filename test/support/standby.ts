import { execFile, execFileSync } from 'node:child_process';
import { chownSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort, temporaryFolder } from './process.ts';
import type { SystemPostgres } from './system-postgres.ts';

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

export interface Standby {
  port: number;
  stop(): void;
}

/** Starts a server that follows another one, and takes no changes until it is promoted. */
export async function startStandby(programs: string, primary: SystemPostgres): Promise<Standby> {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const port = await findFreePort();
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const options = { ...identity, cwd: folder, env: { LC_ALL: 'C', PGPASSWORD: primary.password } };
  const call = (program: string, args: string[]) =>
    promisify(execFile)(join(programs, program), args, options);
  const from = ['--host=127.0.0.1', `--port=${primary.port}`, '--username=postgres'];
  await call('pg_basebackup', [...from, '--checkpoint=fast', '--write-recovery-conf', `--pgdata=${data}`]);
  const settings = `-c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c port=${port} -c fsync=off`;
  const log = `--log=${join(folder, 'log')}`;
  await call('pg_ctl', ['start', '--wait', `--pgdata=${data}`, log, `--options=${settings}`]);
  return {
    port,
    stop() {
      execFileSync(join(programs, 'pg_ctl'), ['stop', '--mode=immediate', `--pgdata=${data}`], options);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
