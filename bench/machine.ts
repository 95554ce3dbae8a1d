import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** What the figures depend on, by name. */
export function describeMachine(): Record<string, string> {
  return {
    Processor: cpus()[0]?.model ?? 'unknown',
    Cores: String(availableParallelism()),
    Memory: `${(totalmem() / 1024 ** 3).toFixed(1)} GiB`,
    System: `${distribution()}${type()} ${release()}`,
  };
}

/** Of whatever takes part, by name: versions are pinned exactly. */
export function listVersions(): Record<string, string> {
  const { fastify, '@fastify/jwt': jwt, argon2, kysely } = readDependencies('../package.json');
  const { echarts: _, ...peers } = readDependencies('package.json');
  const versions = {
    'Node.js': process.versions.node,
    fastify,
    '@fastify/jwt': jwt,
    argon2,
    kysely,
    ...peers,
    'redis-server': readVersion('redis-server', '--version'),
    wrk: readVersion('wrk', '--version'),
  };
  return Object.fromEntries(
    Object.entries(versions).filter(([, version]) => version !== undefined),
  ) as Record<string, string>;
}

function readDependencies(path: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).dependencies;
}

/** What a program says of itself; undefined where it is not installed. */
function readVersion(program: string, option: string): string | undefined {
  const { stdout } = spawnSync(program, [option], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(stdout ?? '')?.[0];
}

/** os-release(5) */
function distribution(): string {
  const path = '/etc/os-release';
  const name = existsSync(path) && /^PRETTY_NAME="(.+)"$/m.exec(readFileSync(path, 'utf8'))?.[1];
  return name ? `${name}, ` : '';
}
