import {
  chmodSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createKeyFile, readKeyFile, replaceKeyFile } from '../../src/tokens/key-file.ts';
import { generateKeySet } from '../../src/tokens/key-rotation.ts';
import { loadKeySet } from '../../src/tokens/load-key-set.ts';
import { START } from '../support/app.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, linkSync: vi.fn(fs.linkSync) };
});

let folder: string;
let path: string;
const clock = () => START;
const keys = () => generateKeySet(readConfig({}), START);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'idcard-'));
  path = join(folder, 'data', 'keys.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the first start writes a key file that only its owner can read, and leaves nothing beside it', () => {
  const keySet = loadKeySet(readConfig({ DATA_DIR: join(folder, 'data') }), clock);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, 'data'))).toEqual(['keys.json']);
  expect(keySet.keys).toHaveLength(2);
});

test('the second start reads the same keys', () => {
  const config = readConfig({ DATA_DIR: join(folder, 'data') });
  const kids = () => loadKeySet(config, clock).keys.map((key) => key.kid);
  expect(kids()).toEqual(kids());
});

test('a second process that was slower takes the file of the first', () => {
  const [first, second] = [keys(), keys()];
  createKeyFile(path, first);
  createKeyFile(path, second);
  expect(JSON.parse(readKeyFile(path) ?? '')).toEqual(first);
});

test('a file system without hard links is no obstacle', () => {
  vi.mocked(linkSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('operation not permitted'), { code: 'EPERM' });
  });
  const keySet = keys();
  expect(JSON.parse(createKeyFile(path, keySet))).toEqual(keySet);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a rotation replaces the file as a whole', () => {
  createKeyFile(path, keys());
  const next = keys();
  replaceKeyFile(path, next);
  expect(JSON.parse(readKeyFile(path) ?? '')).toEqual(next);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('KEY_SET holds the set itself, and no file is written', () => {
  const config = readConfig({ DATA_DIR: join(folder, 'data'), KEY_SET: JSON.stringify(keys()) });
  expect(loadKeySet(config, clock).keys).toHaveLength(2);
  expect(existsSync(path)).toBe(false);
});

describe('a key file is refused', () => {
  test.each([0o640, 0o604, 0o660, 0o644])('with mode %o', (mode) => {
    createKeyFile(path, keys());
    chmodSync(path, mode);
    expect(() => readKeyFile(path)).toThrow(`run "chmod 600 ${path}"`);
  });

  test('when it cannot be read', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => readKeyFile(join(folder, 'file', 'keys.json'))).toThrow(
      'cannot be read: check its owner and mode',
    );
  });

  test('when it cannot be written', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => createKeyFile(join(folder, 'file', 'keys.json'), keys())).toThrow(
      'check that its folder is writable',
    );
    createKeyFile(path, keys());
    expect(() => replaceKeyFile(join(folder, 'data'), keys())).toThrow('cannot be written');
  });
});
