import { isatty } from 'node:tty';
import { type DestinationStream, destination, type Logger, pino } from 'pino';

interface LogSettings {
  level: string;
  /** When absent: text at a terminal, else JSON. */
  format: 'text' | 'json' | undefined;
}

const STDOUT = 1;

/** How much may wait to be written: some 30,000 lines. Further lines are lost. */
const MOST_WAITING_BYTES = 4 * 1024 ** 2;

/**
 * The log on standard output. The process goes on when the disk is full or the reader has ended, and writes the waiting lines when
 * there is room again. At a terminal the lines are for people, else they are JSON.
 * @param worker the number of the worker, for every line
 */
export async function createLogger(settings: LogSettings, worker?: number): Promise<Logger> {
  const output = destination({ dest: STDOUT, maxLength: MOST_WAITING_BYTES });
  let isBroken = false;
  output.on('error', () => {
    isBroken = true;
  });
  output.on('write', () => {
    isBroken = false;
  });
  // At the end of the process, a flush to a broken output would try for ever.
  const { flushSync } = output;
  output.flushSync = () => isBroken || flushSync.call(output);
  const { level, format = isatty(STDOUT) ? 'text' : 'json' } = settings;
  const stream = format === 'json' ? output : await asText(output);
  return pino({ level, base: worker === undefined ? null : { worker } }, stream);
}

async function asText(output: ReturnType<typeof destination>): Promise<DestinationStream> {
  const { toLogLine } = await import('./log-lines.ts');
  const isColoured = isatty(STDOUT) && process.stdout.hasColors(); // false where NO_COLOR is set
  return {
    write: (json: string) => output.write(toLogLine(json, isColoured)),
    flushSync: () => output.flushSync(), // pino calls it for a fatal line
  } as DestinationStream;
}
