import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config/config.ts';
import { generateKeySet } from '../../../src/proofs/keys/key-rotation.ts';
import type { UserDirectory } from '../../../src/users/user-directory.ts';

const config = readConfig({ LOG_LEVEL: 'silent' });
const KEY_SET = JSON.stringify(generateKeySet(config.keys, 0));

let polls: number;
beforeEach(() => {
  polls = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => void vi.useRealTimers());

async function embed() {
  const directory: Partial<UserDirectory> = {
    raisedSince: async () => {
      polls++;
      return [];
    },
    close: async () => undefined,
  };
  return buildApp(readConfig({ LOG_LEVEL: 'silent', KEY_SET }), { directory: directory as UserDirectory });
}

describe('an app that never listens asks for revocations from when it is ready until it is closed', () => {
  test.each(['ready', 'inject'])('by %s', async (start) => {
    const app = await embed();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(polls).toBe(0);
    if (start === 'ready') await app.ready();
    else expect((await app.inject('/livez')).statusCode).toBe(200);
    expect(polls).toBe(1);
    await vi.advanceTimersByTimeAsync(1999);
    expect(polls).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(polls).toBe(2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(polls).toBe(12);
    await app.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(polls).toBe(12);
  });

  test('and one that is closed while it becomes ready asks no more', async () => {
    const app = await embed();
    await Promise.all([app.ready(), app.close()]);
    const before = polls;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(polls).toBe(before);
  });
});

test('a process that only made an app ready ends by itself', async () => {
  const program = `
    const { buildApp } = await import('./src/app.ts');
    const { readConfig } = await import('./src/config/config.ts');
    const app = await buildApp(readConfig({ LOG_LEVEL: 'silent', DATABASE_URL: 'sqlite::memory:', KEY_SET: process.env.KEYS }));
    await app.ready();
    console.info((await app.inject('/readyz')).statusCode);`;
  vi.useRealTimers();
  const env = { ...process.env, KEYS: KEY_SET };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    env,
  });
  expect(stdout.trim()).toBe('200');
});

test('a directory that is brought is closed when the keys cannot be read', async () => {
  let closed = 0;
  const directory: Partial<UserDirectory> = { close: async () => void closed++ };
  const config = readConfig({ LOG_LEVEL: 'silent', KEY_SET: '{"keys":[]}' });
  await expect(buildApp(config, { directory: directory as UserDirectory })).rejects.toThrow('The key set');
  expect(closed).toBe(1);
});
