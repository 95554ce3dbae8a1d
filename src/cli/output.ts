import type { Command } from 'commander';
import { pino } from 'pino';
import { toUserResponse } from '../routes/user-response.ts';
import type { User } from '../users/user.ts';

/** A command with `--json`, for scripts. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

export function print(json: boolean | undefined, value: unknown, text: string): void {
  console.log(json ? JSON.stringify(value) : text);
}

/** Tells the audit log what an operator did: one JSON line on standard error, as the server writes its events. */
export function logEvent(event: string, fields: Record<string, unknown>): void {
  pino({ base: null }, pino.destination({ dest: 2, sync: true })).info({ event, ...fields });
}

/** What an operator sees of a user: what the user sees, and whether they may log in. */
export function describeUser(user: User) {
  return { ...toUserResponse(user), status: user.status };
}
