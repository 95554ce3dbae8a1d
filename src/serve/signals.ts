export const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** Stops as the signal asks, and ends the process with exit code 0. */
export function stopOnSignals(stop: (signal: StopSignal) => Promise<void>): void {
  let isStopping = false;
  async function onSignal(signal: StopSignal): Promise<void> {
    if (isStopping) process.exit(1); // asked twice: at once
    isStopping = true;
    await stop(signal);
    process.exit(0);
  }
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
}
