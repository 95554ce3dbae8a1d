import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { type ServerProcess, startServer } from './process.ts';

/** Starts a server of several workers and waits until all of them serve. */
export async function startWorkers(
  workers: number,
  env: Record<string, string> = {},
  cwd?: string,
): Promise<ServerProcess> {
  const server = await startServer({ WORKERS: String(workers), ...env }, cwd);
  await until(() => server.stderr().includes('idcard serves on'));
  return server;
}

/** The process ids of the workers of a primary. */
export function workersOf(primary: number): number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, parent]) => (pid !== undefined && parent === primary ? [pid] : []))
    .filter(isAlive); // and not the process that lists them
}

/** The TCP ports on which a process of Linux listens: proc_pid_net(5), proc_pid_fd(5). */
export function listeningPorts(pid: number): number[] {
  const files = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // closed meanwhile
    }
  });
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === '0A' && files.includes(`socket:[${inode}]`))
      .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16)),
  );
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: object;
  agent?: Agent;
}

/** Asks on a connection of its own, so that the workers take turns, unless an agent is given. */
export function ask(url: string, { method, headers, body, agent }: Asked = {}) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const options = {
      agent: agent ?? new Agent(),
      method: method ?? (body ? 'POST' : 'GET'),
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    };
    request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on('error', reject);
    })
      .on('error', reject)
      .end(body && JSON.stringify(body));
  });
}

export interface Load {
  answers: () => number;
  failures: () => string[];
  stop: () => Promise<void>;
}

/** Clients that ask one request after the other, each on a connection that it keeps alive while it is let. */
export function startLoad(url: string, clients: number, headers: Record<string, string>): Load {
  const outcomes: string[] = [];
  let isOver = false;
  async function run(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) outcomes.push(await ask(url, { headers, agent }).then(statusOf, codeOf));
    agent.destroy();
  }
  const running = Array.from({ length: clients }, run);
  return {
    answers: () => outcomes.length,
    failures: () => outcomes.filter((outcome) => outcome !== '200'),
    stop: async () => {
      isOver = true;
      await Promise.all(running);
    },
  };
}

function statusOf({ status }: { status: number }): string {
  return String(status);
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}
