import { exec, execFile, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';
import cluster from 'node:cluster';
import { expect, test } from 'vitest';
import { compiled } from './support/compiled.ts';
import { newDatabase } from './support/postgres.ts';

const NODE = process.execPath;

test.each<[string, () => unknown]>([
  ['spawn', () => spawn(NODE)],
  ['spawnSync', () => spawnSync(NODE)],
  ['exec', () => exec(NODE)],
  ['execSync', () => execSync(NODE)],
  ['execFile', () => execFile(NODE)],
  ['execFileSync', () => execFileSync(NODE)],
  ['fork', () => fork(NODE)],
  ['cluster.fork', () => cluster.fork()],
])('a unit test starts no process by %s', (_name, start) => {
  expect(start).toThrow('A test that starts a process belongs into test/system.');
});

test('a unit test builds nothing, and has no PostgreSQL', async () => {
  expect(compiled).toThrow('vitest runs without its globalSetup.');
  await expect(newDatabase()).rejects.toThrow('vitest runs without its globalSetup.');
});
