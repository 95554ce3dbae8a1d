import { Command } from 'commander';
import { StartupError } from '../../base/startup-error.ts';
import { readConfig } from '../../config/config.ts';
import { databaseName } from '../../database/index.ts';
import { inSnapshot } from '../../database/snapshot.ts';
import { pagesFrom } from '../../users/pages.ts';
import { createUserRows, type UserRows } from '../../users/rows.ts';
import { type ExportSink, openExportFile, standardOutput } from '../export-sink.ts';
import { logEvent, print, withJson } from '../output.ts';
import { withProgress } from '../progress.ts';
import { formatUserLine } from '../user-line.ts';
import { withDatabase } from '../with-database.ts';

interface Options {
  output?: string;
  resume?: boolean;
  json?: boolean;
}

export function usersExport(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('export'))
    .description('write every user, with password hash, one JSON object a line, as they are at one moment')
    .option('--output <file>', 'a new file, readable by you alone, instead of standard output')
    .option('--resume', 'go on with a file that was begun, if it still is how this export begins')
    .action(async (options: Options, command: Command) => {
      const { output, resume = false } = options;
      if (resume && output === undefined) command.error('error: --resume needs --output');
      const { database } = readConfig(env);
      const users = await withDatabase(database.url, async (db) => {
        const sink = output === undefined ? standardOutput() : await openExportFile(output, resume);
        return inSnapshot(db, (snapshot) => exportAll(createUserRows(snapshot), sink));
      });
      logEvent('users.exported', { users });
      if (output !== undefined)
        print(
          options.json,
          { users, file: output },
          `Wrote ${users} users of ${databaseName(database.url)} to ${output}.`,
        );
    });
}

async function exportAll(directory: UserRows, sink: ExportSink): Promise<number> {
  const users = await directory.count();
  let lines = 0;
  await withProgress('Exporting', sink.isTerminal ? undefined : users, async ({ advance }) => {
    for await (const page of pagesFrom(directory.page)) {
      await sink.write(page.map(formatUserLine).join(''));
      lines += page.length;
      advance(page.length);
    }
    await sink.end();
  });
  if (lines !== users) throw new StartupError(`The directory has ${users} users, and ${lines} were written.`);
  return users;
}
