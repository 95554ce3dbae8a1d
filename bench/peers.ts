import type { Client } from './issuer.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import type { Credential } from './servers/peer.ts';

interface Peer {
  name: string;
  script: string;
  env?: NodeJS.ProcessEnv;
  needsRedis?: true;
}

/** What idcard is compared with: a script of `bench/servers` and its environment. */
export const PEERS = [
  { name: '@fastify/jwt', script: 'fastify-jwt.ts' },
  { name: '@fastify/jwt, with its cache', script: 'fastify-jwt.ts', env: { CACHE: '20000' } },
  { name: 'jose', script: 'jose.ts' },
  { name: 'express, passport-jwt', script: 'passport-jwt.ts' },
  { name: 'one key read from Redis', script: 'redis-get.ts', needsRedis: true },
  { name: '@fastify/session, Redis', script: 'fastify-session.ts', needsRedis: true },
  {
    name: '@fastify/session, Redis, tuned',
    script: 'fastify-session.ts',
    env: { TUNED: 'true' },
    needsRedis: true,
  },
  { name: '@fastify/secure-session', script: 'secure-session.ts' },
  { name: 'Better Auth, SQLite', script: 'better-auth.ts' },
  { name: 'Better Auth, cookie cache', script: 'better-auth.ts', env: { COOKIE_CACHE: 'true' } },
  { name: 'express, Auth.js', script: 'authjs.ts' },
] as const satisfies readonly Peer[];

export async function startPeers(
  PEER_FILE: string,
  hasRedis: boolean,
): Promise<{ name: string; server: ServerProcess }[]> {
  const peers: readonly Peer[] = PEERS.filter((peer) => hasRedis || !('needsRedis' in peer));
  const started = [];
  for (const { name, script, env: own } of peers) {
    started.push({ name, server: await startServer(script, { PEER_FILE, ...own }) });
  }
  return started;
}

/**
 * Whoever lets a forged credential in does not do the work that is measured.
 * @throws when a server does not answer as idcard does, or accepts a credential in which one character is another
 */
export async function proveThatItVerifies(
  name: string,
  { address }: ServerProcess,
  [credential = {}]: readonly Credential[],
  [client]: readonly Pick<Client, 'claims'>[],
): Promise<void> {
  const accepted = await fetch(`${address}/v1/verify`, { headers: credential });
  const body = await accepted.text();
  if (accepted.status !== 200 || body !== JSON.stringify(client?.claims)) {
    throw new Error(`${name} answers a good credential with ${accepted.status} ${body}`);
  }
  const { status } = await fetch(`${address}/v1/verify`, { headers: breakCredential(credential) });
  if (status !== 401 && status !== 403) {
    throw new Error(`${name} answers a broken credential with ${status}.`);
  }
}

/** One letter of each value, and of each cookie, is another. */
function breakCredential(credential: Credential): Credential {
  return Object.fromEntries(
    Object.entries(credential).map(([name, value]) => [name, value.split('; ').map(breakValue).join('; ')]),
  );
}

function breakValue(value: string): string {
  const middle = Math.floor(value.length / 2);
  // No hexadecimal digit: it might be that of an escape.
  const broken = value.slice(middle).replace(/[g-z]/, (letter) => (letter === 'k' ? 'm' : 'k'));
  return value.slice(0, middle) + broken;
}
