import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { systemClock } from '../../../src/base/clock.ts';
import { readConfig } from '../../../src/config/config.ts';
import { VARIABLES } from '../../../src/config/settings.ts';
import { parsePostgresUrl } from '../../../src/database/postgres-url.ts';
import { loadKeySet } from '../../../src/proofs/keys/load-key-set.ts';
import { IMAGE, longestStopSeconds } from '../../support/deploy.ts';
import { temporaryFolder } from '../../support/process.ts';

const FILE = 'deploy/compose.yaml';
const text = readFileSync(FILE, 'utf8');

const Env = z.record(z.string(), z.coerce.string());
/** What of a service is looked at here; the same hardening for all of them. */
const Service = z.object({
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  restart: z.literal('unless-stopped'),
  environment: Env.default({}),
  secrets: z.array(z.string()).default([]),
  ports: z.array(z.string()).optional(),
  tmpfs: z.array(z.string()).default([]),
  extra_hosts: z.array(z.string()).default([]),
  networks: z.union([
    z.array(z.string()),
    z.record(z.string(), z.object({ ipv4_address: z.string().optional() })),
  ]),
  stop_grace_period: z.string().optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
const { services, secrets, networks } = z
  .object({
    services: z.record(z.string(), Service),
    secrets: z.record(z.string(), z.object({ file: z.string() })),
    networks: z.record(z.string(), z.unknown()),
  })
  .parse(parse(text, { merge: true }));
const replicas = ['idcard-1', 'idcard-2'].map((name) => Service.parse(services[name]));

function addressOf(name: string): string | undefined {
  const joined = services[name]?.networks ?? [];
  return Array.isArray(joined) ? undefined : joined.front?.ipv4_address;
}

test('it is as the compose specification describes it', () => {
  const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] });
  const messages: { rule: string }[] = linter
    .lintFiles([FILE], false)
    .flatMap((result: { messages: { rule: string }[] }) => result.messages);
  expect(messages.filter(({ rule }) => rule.startsWith('invalid-'))).toEqual([]);
  expect(messages.length).toBeGreaterThan(0); // of its taste, so it has read the file
});

test('only nginx can be reached from outside, and the database from idcard alone', () => {
  const published = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
  expect(published.map(([name]) => name)).toEqual(['nginx']);
  expect(networks.back).toEqual({ internal: true });
  expect([services.postgres?.networks, services.valkey?.networks]).toEqual([['back'], ['back']]);
  expect(Object.keys(services.nginx?.networks ?? {})).toEqual(['front']);
});

test('every setting of the replicas is one that idcard knows', () => {
  for (const { environment } of replicas) {
    expect(Object.keys(environment).filter((name) => !VARIABLES.has(name))).toEqual([]);
  }
});

test('both replicas are the same', () => {
  const [first, second] = replicas.map((replica) => ({ ...replica, networks: undefined }));
  expect(first).toEqual(second);
});

test('the one proxy that is believed is nginx, and it knows both replicas', () => {
  const [replica] = replicas;
  expect(replica?.environment.TRUSTED_PROXIES).toBe(addressOf('nginx'));
  const known = ['idcard-1', 'idcard-2'].map((name) => `${name}:${addressOf(name)}`);
  expect(services.nginx?.extra_hosts).toEqual(known);
  const upstreams = [
    ...readFileSync('deploy/nginx/balancer.conf', 'utf8').matchAll(/^ {2}server (\S+:\d+) /gm),
  ];
  expect(upstreams.map(([, server]) => server)).toEqual([`idcard-1:${IMAGE.port}`, `idcard-2:${IMAGE.port}`]);
});

test('what the image writes can be written', () => {
  expect(replicas[0]?.tmpfs.sort()).toEqual([...IMAGE.writable].sort());
});

test('Valkey has a folder to write to, without which some of its images do not start', () => {
  expect(services.valkey?.tmpfs).toEqual(['/data']);
});

test('a replica that stops has the time for it', () => {
  const delay = Number(replicas[0]?.environment.SHUTDOWN_DELAY_SECONDS);
  expect(Number.parseInt(replicas[0]?.stop_grace_period ?? '', 10)).toBeGreaterThan(
    longestStopSeconds(delay),
  );
});

test('no secret is in the file: each is a file of its own that the service which reads it mounts', () => {
  for (const { environment, secrets: mounted } of Object.values(services)) {
    const files = Object.entries(environment).filter(([, value]) => value.startsWith('/run/secrets/'));
    expect(files.map(([, value]) => value.slice('/run/secrets/'.length)).sort()).toEqual([...mounted].sort());
    for (const [name] of files) expect(name).toMatch(/_FILE$/);
    expect(
      Object.keys(environment).filter(
        (name) => /PASSWORD|SECRET|TOKEN|KEY/.test(name) && !name.endsWith('_FILE'),
      ),
    ).toEqual([]);
  }
  expect(text).not.toMatch(/:\/\/[^/\s]*:[^/\s]*@/); // no password in a URL
});

test('every service says whether it is healthy', () => {
  const silent = Object.entries(services).filter(([, { healthcheck }]) => !healthcheck);
  expect(silent.map(([name]) => name)).toEqual(['idcard-1', 'idcard-2']); // the image does it
  expect(readFileSync('Dockerfile', 'utf8')).toContain('\nHEALTHCHECK ');
});

test('the commands of the README make secrets that this file and idcard agree on', () => {
  const folder = temporaryFolder();
  const [, commands = ''] = /```sh\n(.*?)```/s.exec(readFileSync('deploy/README.md', 'utf8')) ?? [];
  const output = execFileSync('bash', ['-ec', commands.replaceAll('deploy/', `${folder}/`)], {
    encoding: 'utf8',
  });
  const made = join(folder, 'secrets');
  expect(output).toMatch(/^\S+\tES256\taccess\tsigning/);
  expect(
    readdirSync(made)
      .map((name) => `./secrets/${name}`)
      .sort(),
  ).toEqual(
    Object.values(secrets)
      .map(({ file }) => file)
      .sort(),
  );
  for (const name of readdirSync(made)) expect(statSync(join(made, name)).mode & 0o777).toBe(0o600);

  const environment = Object.entries(replicas[0]?.environment ?? {})
    .map(([name, value]) => [name, value.replace('/run/secrets', made)] as const)
    .filter(([name]) => name !== 'PUBLIC_URL');
  const config = readConfig({ ...Object.fromEntries(environment), PUBLIC_URL: 'https://login.example.com' });
  expect(config.accounts.registration).toBe('closed');
  expect(loadKeySet(config.keys, systemClock).keys).toHaveLength(2);
  const password = readFileSync(join(made, 'postgres_password'), 'utf8').trim();
  expect(password).toMatch(/^[\da-f]{48}$/);
  expect(parsePostgresUrl(config.database.url)).toMatchObject({
    hosts: [{ host: 'postgres', ssl: false }],
    user: services.postgres?.environment.POSTGRES_USER,
    database: services.postgres?.environment.POSTGRES_USER, // the image names it so
    password,
  });
  rmSync(folder, { recursive: true });
});
