import type { SingleBar } from 'cli-progress';

export interface Progress {
  advance(amount: number): void;
  /** Prints a line on standard error, above the bar. */
  say(text: string): void;
}

/** Shows a bar on standard error while an action goes on, when that is a terminal and the total is known. */
export async function withProgress<T>(
  what: string,
  total: number | undefined,
  action: (progress: Progress) => Promise<T>,
): Promise<T> {
  const bar = total && process.stderr.isTTY ? await createBar(what) : undefined;
  let value = 0;
  const start = () => bar?.start(total ?? 0, value);
  start();
  try {
    return await action({
      advance(amount) {
        value += amount;
        bar?.update(value);
      },
      say(text) {
        bar?.stop();
        console.error(text);
        start();
      },
    });
  } finally {
    bar?.stop();
  }
}

async function createBar(what: string): Promise<SingleBar> {
  const { default: progress } = await import('cli-progress'); // most commands show no bar
  const format = `${what} {bar} {percentage}% {eta_formatted}`;
  // Wrapping stays on: if this program were killed, the terminal would never wrap lines again.
  const options = { format, clearOnComplete: true, linewrap: true };
  return new progress.SingleBar(options, progress.Presets.shades_classic);
}
