import { type FileHandle, open } from 'node:fs/promises';
import { codeOf } from '../base/error-code.ts';
import { StartupError } from '../base/startup-error.ts';

/** Where an export goes. */
export interface ExportSink {
  isTerminal: boolean;
  write(text: string): Promise<void>;
  /** To be called after the last text. */
  end(): Promise<void>;
}

export function standardOutput(): ExportSink {
  const { stdout } = process;
  stdout.on('error', () => undefined); // the write reports the error
  return {
    isTerminal: stdout.isTTY,
    write: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => (error ? reject(refusalOf(error)) : resolve()));
      }),
    end: async () => undefined,
  };
}

/**
 * A file of mode 0600, since it holds password hashes.
 * @param resume whether the file may be there: its content must be the beginning of the export
 * @throws StartupError
 */
export async function openExportFile(path: string, resume: boolean): Promise<ExportSink> {
  const file = await openPrivately(path, resume);
  let position = 0;
  const refuse = (): never => {
    throw new StartupError(
      `${path} is not how this export begins: it is another file, or users changed since. Name a new file.`,
    );
  };
  return {
    isTerminal: false,
    async write(text) {
      const bytes = Buffer.from(text);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes.length), 0, bytes.length, position);
      // An interruption may have left half a line.
      if (!buffer.subarray(0, bytesRead).equals(bytes.subarray(0, bytesRead))) refuse();
      await file.appendFile(bytes.subarray(bytesRead)).catch((error: unknown) => {
        throw refusalOf(error);
      });
      position += bytes.length;
    },
    async end() {
      if ((await file.stat()).size !== position) refuse();
      await file.sync();
      await file.close();
    },
  };
}

async function openPrivately(path: string, resume: boolean): Promise<FileHandle> {
  const file = await open(path, resume ? 'a+' : 'ax+', 0o600).catch((cause: unknown) => {
    throw new StartupError(
      codeOf(cause) === 'EEXIST'
        ? `${path} is there already: name a new file, or go on with this one by --resume.`
        : `The file ${path} cannot be written (${codeOf(cause)}).`,
      { cause },
    );
  });
  const stats = await file.stat();
  if (!stats.isFile() || (stats.mode & 0o077) !== 0)
    throw new StartupError(`${path} must be a file of mode 0600: an export holds password hashes.`);
  return file;
}

/** A reader that has ended is no failure of the export: `EPIPE` stays as it is. */
function refusalOf(error: unknown): unknown {
  if (codeOf(error) === 'EPIPE') return error;
  return new StartupError(`The export cannot be written (${codeOf(error)}), and is not complete.`, {
    cause: error,
  });
}
