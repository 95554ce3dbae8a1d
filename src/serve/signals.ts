export const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/**
 * One request to stop may come twice: Ctrl-C and service managers signal every process of a group, and npm, which is one of
 * them, hands on to the server what it is sent.
 */
const ONE_REQUEST_MS = 1000;

/** Stops as the signal asks, and ends the process with exit code 0. */
export function stopOnSignals(stop: (signal: StopSignal) => Promise<void>): void {
  let first: { signal: StopSignal; atMs: number } | undefined;
  async function onSignal(signal: StopSignal): Promise<void> {
    if (first) {
      const isTheSame = signal === first.signal && performance.now() - first.atMs < ONE_REQUEST_MS;
      if (!isTheSame) process.exit(1); // asked twice: at once
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
 * Stops when what npm started it with has ended: `npx` and the scripts of others run it in a shell, which hands on no signal
 * and leaves it behind. To be called before the start, which may take long.
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
