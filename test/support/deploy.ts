import { readFileSync } from 'node:fs';

const dockerfile = readFileSync('Dockerfile', 'utf8');

/** How long a server takes at most from SIGTERM to its end. */
export function longestStopSeconds(shutdownDelaySeconds: number): number {
  const [, milliseconds] =
    /LONGEST_GOODBYE_MS = \{ SIGTERM: (\d+)/.exec(readFileSync('src/serve/server.ts', 'utf8')) ?? [];
  return shutdownDelaySeconds + Number(milliseconds) / 1000;
}

/** What the image says of itself. */
export const IMAGE = {
  port: Number(/PORT=(\d+)/.exec(dockerfile)?.[1]),
  workdir: /^WORKDIR (.*)$/m.exec(dockerfile)?.[1] ?? '',
  /** The folders that its user may write to, from the root. */
  writable: (/mkdir -p (.*?) &&/.exec(dockerfile)?.[1] ?? '')
    .split(' ')
    .map((folder) => (folder.startsWith('/') ? folder : `/app/${folder}`)),
  /** The user `node` of the official images of Node.js. */
  uid: 1000,
};
