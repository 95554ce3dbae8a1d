import type { Level, Listener } from './events.ts';

/** The log as a listener: a line for each event. */
export function logEvents(logger: Record<Level, (line: object) => void>): Listener {
  return (event, details, level) => logger[level]({ event, ...details });
}
