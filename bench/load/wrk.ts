import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LOAD_CORE, onCore } from '../cores.ts';
import type { LoadOptions, LoadRequest, LoadResult } from '../load.ts';
import { temporaryPath } from '../temporary.ts';

const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url));

/** https://github.com/wg/wrk: the requests are in a file, each behind a line that tells its length. */
export function createWrkLoad({ address, requests, connections }: LoadOptions) {
  const file = temporaryPath();
  writeFileSync(
    file,
    requests
      .map((request) => {
        const text = formatRequest(request, new URL(address).host);
        return `${Buffer.byteLength(text)}\n${text}`;
      })
      .join(''),
  );
  return async (seconds: number, first: number): Promise<LoadResult & { sent: number }> => {
    const [command, ...parameters] = onCore(LOAD_CORE, [
      'wrk',
      '--threads',
      '1',
      '--connections',
      String(connections),
      '--duration',
      `${seconds}s`,
      '--timeout',
      '60s',
      '--script',
      SCRIPT,
      address,
      '--',
      file,
      String(first),
    ]);
    const { stdout } = await promisify(execFile)(command, parameters);
    return JSON.parse(stdout.slice(stdout.lastIndexOf('\n{')));
  };
}

/** RFC 9112 §2.1 */
function formatRequest({ method = 'GET', path, headers = {}, body = '' }: LoadRequest, host: string): string {
  const fields = Object.entries({
    host,
    ...headers,
    ...(body && { 'content-length': Buffer.byteLength(body) }),
  });
  return `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}
