export const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/**
 * Signals within this time are one request to stop: Ctrl-C and service managers signal every process of a group, and npm, which is in
 * the group, sends its signal on to the server.
 */
const ONE_REQUEST_MS = 1000;

/** Stops at a signal, and ends the process with exit code 0. */
export function stopOnSignals(stop: (signal: StopSignal) => Promise<void>): void {
  let first: { signal: StopSignal; atMs: number } | undefined;
  async function onSignal(signal: StopSignal): Promise<void> {
    if (first) {
      const isTheSame = signal === first.signal && performance.now() - first.atMs < ONE_REQUEST_MS;
      if (!isTheSame) process.exit(1); // a second request: at once
      return;
    }
    first = { signal, atMs: performance.now() };
    await stop(signal);
    process.exit(0);
  }
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
}

/** How soon a server notices that npm has ended. */
const NPM_CHECK_MS = 500;

/**
 * Stops when the parent process has ended, if npm started this one: `npx` and scripts run the server in a shell, which sends no
 * signal on and leaves the server behind. To be called before the start, which may take long.
 */
export function stopWithNpm(env: NodeJS.ProcessEnv): void {
  if (env.npm_execpath === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, NPM_CHECK_MS).unref();
}
