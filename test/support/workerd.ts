import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORKERD } from './packages.ts';
import { findFreePort, temporaryFolder } from './process.ts';

export interface Worker {
  /** What the worker answers at a path. */
  ask: (path: string) => Promise<string>;
  stop: () => Promise<void>;
}

/**
 * Starts workerd with a worker that may call servers of this machine.
 * @param modules files, by the names by which the worker imports them
 * @param date of the behaviour that it keeps to
 */
export async function startWorker(
  program: string,
  modules: Record<string, string>,
  date: string,
): Promise<Worker> {
  const [folder, port] = [temporaryFolder(), await findFreePort()];
  const files = { worker: program };
  for (const [name, path] of Object.entries(modules)) Object.assign(files, { [name]: readFileSync(path) });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const listed = Object.keys(files).map((name) => `(name = "${name}", esModule = embed "${name}")`);
  const config = `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [
        (name = "main", worker = (modules = [${listed}], compatibilityDate = "${date}")),
        (name = "internet", network = (allow = ["public", "private", "local"])),
      ],
      sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
    );`;
  writeFileSync(join(folder, 'config.capnp'), config);
  const child = spawn(WORKERD, ['serve', 'config.capnp'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'close');
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`);
    return `${response.ok ? '' : `${response.status} `}${await response.text()}`;
  };
  while (child.exitCode === null && (await ask('').catch(() => undefined)) === undefined)
    await new Promise((wait) => setTimeout(wait, 50));
  return {
    ask,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
