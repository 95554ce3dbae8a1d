import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { pino } from 'pino';
import { toLogLine } from '../base/log-lines.ts';
import { createEvents, type Events } from '../events/events.ts';
import { logEvents } from '../events/log.ts';
import { toUserResponse } from '../routes/user-response.ts';
import type { User } from '../users/user.ts';

const STDERR = 2;

/** A command with `--json`, for scripts. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

export function print(json: boolean | undefined, value: unknown, text: string): void {
  console.log(json ? JSON.stringify(value) : text);
}

/** Tells what an operator did: a line on standard error, in the form of the server's log. */
export const logEvent: Events['tell'] = (name, details) => {
  const output = pino.destination({ dest: STDERR, sync: true });
  const write = (json: string) => output.write(toLogLine(json, process.stderr.hasColors()));
  const logger = pino({ base: null }, isatty(STDERR) ? { write } : output);
  createEvents(logEvents(logger)).tell(name, details);
};

/** A user as an operator sees them: what the user sees, and whether they may log in. */
export function describeUser(user: User) {
  return { ...toUserResponse(user), status: user.status };
}

export function toDate(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
