import { type FileHandle, open } from 'node:fs/promises';
import { Command } from 'commander';
import { StartupError } from '../../base/startup-error.ts';
import { type Config, readConfig } from '../../config/config.ts';
import { databaseName } from '../../database/index.ts';
import { rehearse } from '../../users/rehearsal.ts';
import { createUserRows, isSameRow, PAGE_ROWS, type UserRow, type UserRows } from '../../users/rows.ts';
import { type Line, readLines } from '../lines.ts';
import { logEvent, print, withJson } from '../output.ts';
import { type Progress, withProgress } from '../progress.ts';
import { parseUserLine } from '../user-line.ts';
import { withDatabase } from '../with-database.ts';

interface Tally {
  lines: number;
  added: number;
  already_there: number;
  refused: number;
}

export function usersImport(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('import'))
    .description('add the users of an export, tokens and passwords staying valid; run again, it goes on')
    .argument('<file>', 'one JSON object a line; - is standard input')
    .option('--dry-run', 'check every line, and write nothing')
    .action(async (path: string, { dryRun = false, json }: { dryRun?: boolean; json?: boolean }) => {
      const { database, passwords } = readConfig(env);
      const { chunks, bytes } = await openInput(path);
      const tally = await withDatabase(database.url, async (db) => {
        const users = createUserRows(db);
        const directory = dryRun ? await rehearse(users) : users;
        return withProgress(dryRun ? 'Checking' : 'Importing', bytes, (progress) =>
          importAll(directory, counted(chunks, progress), passwords.argon2, progress),
        );
      });
      if (!dryRun) logEvent('users.imported', tally);
      const counts = `${tally.added} added, ${tally.already_there} already there, ${tally.refused} refused`;
      const text = dryRun
        ? `Of ${tally.lines} users: ${counts} if this were no dry run. Nothing was written.`
        : `Of ${tally.lines} users: ${counts}. They are in ${databaseName(database.url)}.`;
      print(json, { ...tally, dry_run: dryRun }, text);
      if (tally.refused > 0)
        throw new StartupError(
          `${tally.refused} of ${tally.lines} lines ${dryRun ? 'would be' : 'were'} refused.`,
        );
    });
}

async function openInput(path: string): Promise<{ chunks: AsyncIterable<Buffer>; bytes?: number }> {
  if (path === '-') return { chunks: process.stdin };
  const file: FileHandle = await open(path).catch((cause: unknown) => {
    throw new StartupError(`The file ${path} cannot be read.`, { cause });
  });
  const stats = await file.stat();
  if (stats.isDirectory()) throw new StartupError(`${path} is a folder.`);
  return { chunks: file.createReadStream(), bytes: stats.size };
}

async function* counted(chunks: AsyncIterable<Buffer>, progress: Progress): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    progress.advance(chunk.length);
  }
}

async function importAll(
  directory: UserRows,
  chunks: AsyncIterable<Buffer>,
  argon2: Config['passwords']['argon2'],
  progress: Progress,
): Promise<Tally> {
  const before = await directory.count();
  const tally = await importLines(directory, readLines(chunks), argon2, (number, refusal) =>
    progress.say(`idcard: line ${number}: ${refusal}.`),
  );
  const after = await directory.count();
  if (after !== before + tally.added) {
    throw new StartupError(
      `The directory has ${after} users where ${before + tally.added} were expected: something else changed it meanwhile. Run this again.`,
    );
  }
  return tally;
}

async function importLines(
  directory: UserRows,
  lines: AsyncIterable<Line>,
  argon2: Config['passwords']['argon2'],
  tell: (number: number, refusal: string) => void,
): Promise<Tally> {
  const tally: Tally = { lines: 0, added: 0, already_there: 0, refused: 0 };
  const refuse = (number: number, refusal: string) => {
    tally.refused++;
    tell(number, refusal);
  };
  /** Users of different ids, so that each line has its own answer. */
  const batch = new Map<string, { number: number; row: UserRow }>();

  async function addBatch() {
    const added = await directory.add([...batch.values()].map(({ row }) => row));
    const others = [...batch.values()].filter(({ row }) => !added.has(row.id));
    const known = new Map(
      (await directory.find(others.map(({ row }) => row.id))).map((row) => [row.id, row]),
    );
    for (const { number, row } of others) {
      if (!known.has(row.id)) refuse(number, 'the email is that of another user');
      else if (isSameRow(row, known.get(row.id))) tally.already_there++;
      else refuse(number, 'the directory has this id with other values');
    }
    tally.added += added.size;
    batch.clear();
  }

  for await (const { number, text, refusal } of lines) {
    if (text === '' && !refusal) continue; // many files end with an empty line
    tally.lines++;
    const row = refusal ?? parseUserLine(text, argon2);
    if (typeof row === 'string') {
      refuse(number, row);
      continue;
    }
    if (batch.size === PAGE_ROWS || batch.has(row.id)) await addBatch();
    batch.set(row.id, { number, row });
  }
  await addBatch();
  return tally;
}
