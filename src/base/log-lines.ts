import { styleText } from 'node:util';
import { printable } from './log-text.ts';

/* The log for people: one line each, of which no part can begin another or steer the terminal. */

const LEVELS: Record<number, [name: string, colour: Parameters<typeof styleText>[0]]> = {
  10: ['TRACE', 'dim'],
  20: ['DEBUG', 'dim'],
  30: ['INFO', 'green'],
  40: ['WARN', 'yellow'],
  50: ['ERROR', 'red'],
  60: ['FATAL', 'red'],
};

/** Values that need no quotation marks. */
const PLAIN = /^[\w.:@/+%-]+$/;

/** A line of JSON, as pino writes it, for a person: time, level, event, user, address, then the rest. */
export function toLogLine(json: string, isColoured: boolean): string {
  const { time, level, event, msg, sub, address, err, request_id, ...others } = JSON.parse(json);
  const [name, colour] = LEVELS[level] ?? [String(level), 'dim'];
  const paint = (style: typeof colour, text: string) =>
    isColoured ? styleText(style, text, { validateStream: false }) : text;
  const what = event ?? msg ?? '';
  const fields = { sub, address, ...others, ...(event !== undefined && { msg }), request_id };
  const texts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${paint('dim', `${printable(key)}=`)}${valueText(value)}`);
  return `${[
    paint('dim', new Date(time).toISOString()),
    paint(colour, name.padEnd(5)),
    paint('bold', PLAIN.test(what) ? what : printable(String(what))),
    ...texts,
    ...(err === undefined ? [] : [errorText(err)]),
  ].join(' ')}\n`;
}

function valueText(value: unknown): string {
  return typeof value === 'string' && PLAIN.test(value) ? value : printable(JSON.stringify(value));
}

/** An error with its stack, for a person who wants to mend it. An embedding program may log any value as `err`, null too. */
function errorText(err: unknown): string {
  const { stack, message } = Object(err);
  const lines = String(stack ?? message ?? JSON.stringify(err))
    .split('\n')
    .map((line) => line.trim());
  return printable(lines.join(' | '));
}
