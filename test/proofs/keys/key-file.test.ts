import {
  chmodSync,
  chownSync,
  existsSync,
  fchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import {
  createKeyFile,
  createNewKeyFile,
  isOpenToOthers,
  readKeyFile,
  replaceKeyFile,
} from '../../../src/proofs/keys/key-file.ts';
import { generateKeySet } from '../../../src/proofs/keys/key-rotation.ts';
import { loadKeySet, readKeySet } from '../../../src/proofs/keys/load-key-set.ts';
import { START } from '../../support/app.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    chmodSync: vi.fn(fs.chmodSync),
    fchownSync: vi.fn(fs.fchownSync),
    linkSync: vi.fn(fs.linkSync),
    writeFileSync: vi.fn(fs.writeFileSync),
  };
});

let folder: string;
let path: string;
const clock = () => START;
const keys = () => generateKeySet(readConfig({}).keys, START);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'idcard-'));
  path = join(folder, 'data', 'keys.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the first start writes a key file that only its owner can read, and leaves nothing beside it', () => {
  const keySet = loadKeySet(readConfig({ DATA_DIR: join(folder, 'data') }).keys, clock);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, 'data'))).toEqual(['keys.json']);
  expect(keySet.keys).toHaveLength(2);
});

test('the second start reads the same keys', () => {
  const config = readConfig({ DATA_DIR: join(folder, 'data') });
  const kids = () => loadKeySet(config.keys, clock).keys.map((key) => key.kid);
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

test('a rotation asks for the owner of before, and goes on where it may not give it away', () => {
  createKeyFile(path, keys());
  vi.mocked(fchownSync).mockImplementationOnce(() => undefined);
  const { uid, gid } = statSync(path);
  replaceKeyFile(path, keys());
  expect(fchownSync).toHaveBeenLastCalledWith(expect.any(Number), uid, gid);

  vi.mocked(fchownSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('operation not permitted'), { code: 'EPERM' });
  });
  const next = keys();
  replaceKeyFile(path, next);
  expect(JSON.parse(readKeyFile(path) ?? '')).toEqual(next);
});

test.runIf(process.getuid?.() === 0)('a rotation by root leaves the file to its owner', () => {
  createKeyFile(path, keys());
  chownSync(path, 4711, 4712);
  replaceKeyFile(path, keys());
  expect(statSync(path)).toMatchObject({ uid: 4711, gid: 4712 });
});

test('KEY_SET holds the set itself, and no file is written', () => {
  const config = readConfig({ DATA_DIR: join(folder, 'data'), KEY_SET: JSON.stringify(keys()) });
  expect(loadKeySet(config.keys, clock).keys).toHaveLength(2);
  expect(existsSync(path)).toBe(false);
});

describe('what is wrong with a key set says where it is:', () => {
  test('in the file', () => {
    createKeyFile(path, { keys: [] });
    const config = readConfig({ DATA_DIR: join(folder, 'data') });
    expect(() => loadKeySet(config.keys, clock)).toThrow(
      `The key set in ${path} has no key for access tokens`,
    );
    expect(() =>
      readKeySet(config.keys, () => {
        throw new TypeError('a bug');
      }),
    ).toThrow('a bug');
  });

  test('in KEY_SET', () => {
    const config = readConfig({ KEY_SET: '{"keys":[]}' });
    expect(() => loadKeySet(config.keys, clock)).toThrow('The key set has no key for access tokens');
  });
});

describe('a key file that root owns', () => {
  test.each([0o400, 0o600, 0o440, 0o640])('is taken with mode %o by a process that is not root', (mode) => {
    expect(isOpenToOthers({ mode, uid: 0 }, 1000)).toBe(false);
  });

  test.each([0o444, 0o660, 0o450, 0o604])('is refused with mode %o', (mode) => {
    expect(isOpenToOthers({ mode, uid: 0 }, 1000)).toBe(true);
  });

  test.each([
    ['by root itself', 0, 0],
    ["when it is another user's", 1001, 1000],
    ["when it is the process's own", 1000, 1000],
  ])('is refused with mode 440 %s', (_, uid, processUid) => {
    expect(isOpenToOthers({ mode: 0o440, uid }, processUid)).toBe(true);
  });

  test.skipIf(process.getuid?.() !== 0)('is read from a secret volume of Kubernetes', () => {
    const keySet = keys();
    const version = join(folder, '..2026_11_25_12_00_00.123456789');
    mkdirSync(version, { mode: 0o755 });
    writeFileSync(join(version, 'keys.json'), JSON.stringify(keySet), { mode: 0o440 });
    chownSync(join(version, 'keys.json'), 0, 1000); // fsGroup: 1000
    symlinkSync('..2026_11_25_12_00_00.123456789', join(folder, '..data'));
    symlinkSync('..data/keys.json', join(folder, 'keys.json'));
    vi.spyOn(process, 'getuid').mockReturnValueOnce(1000);
    expect(JSON.parse(readKeyFile(join(folder, 'keys.json')) ?? '')).toEqual(keySet);
  });
});

describe('a key file that a volume has given to its group', () => {
  const GROUP = 1000;
  beforeEach(() => {
    createKeyFile(path, keys());
    chownSync(join(folder, 'data'), process.getuid?.() ?? 0, GROUP);
    chownSync(path, process.getuid?.() ?? 0, GROUP);
    chmodSync(join(folder, 'data'), 0o2775); // fsGroup: 1000
  });

  test.runIf(process.getuid?.() === 0).each([0o660, 0o640])('with mode %o is taken back', (mode) => {
    chmodSync(path, mode);
    expect(readKeyFile(path)).toContain('"keys"');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test.runIf(process.getuid?.() === 0).each<[what: string, change: () => void]>([
    ['others can read it too', () => chmodSync(path, 0o664)],
    ['the folder is not of that group', () => chownSync(join(folder, 'data'), 0, 1001)],
    ['the folder is an ordinary one', () => chmodSync(join(folder, 'data'), 0o775)],
    ["it is another user's", () => chownSync(path, 1001, GROUP)],
    [
      'it cannot be changed',
      () =>
        vi.mocked(chmodSync).mockImplementationOnce(() => {
          throw new Error('EROFS');
        }),
    ],
    ['the disk knows no modes', () => vi.mocked(chmodSync).mockImplementationOnce(() => undefined)],
  ])('is refused when %s', (_what, change) => {
    chmodSync(path, 0o660);
    change();
    expect(() => readKeyFile(path)).toThrow('can be read by other users');
  });

  test.runIf(process.getuid?.() === 0)('and is of another user is to be given to this one', () => {
    chmodSync(path, 0o660);
    chownSync(path, 1001, GROUP);
    expect(() => readKeyFile(path)).toThrow(`run "chown 0 ${path}" as root, then "chmod 600 ${path}"`);
  });
});

test('a key file is read on a system without users and modes', () => {
  createKeyFile(path, keys());
  chmodSync(path, 0o666);
  const { getuid } = process;
  Object.assign(process, { getuid: undefined }); // as in Windows
  expect(readKeyFile(path)).toContain('"keys"');
  Object.assign(process, { getuid });
});

describe('a new key file', () => {
  test('is written where there is none', () => {
    const keySet = keys();
    createNewKeyFile(path, keySet);
    expect(JSON.parse(readKeyFile(path) ?? '')).toEqual(keySet);
  });

  test.each([
    ['there is one', () => createKeyFile(path, keys())],
    [
      'another process is faster',
      () =>
        vi.mocked(linkSync).mockImplementationOnce(() => {
          writeFileSync(path, '{}', { mode: 0o600 });
          throw Object.assign(new Error('it is there'), { code: 'EEXIST' });
        }),
    ],
  ])('is refused when %s', (_what, arrange) => {
    arrange();
    expect(() => createNewKeyFile(path, keys())).toThrow(`There is a key file ${path} already`);
  });
});

describe('a key file is refused', () => {
  test('when it is a folder', () => {
    mkdirSync(path, { recursive: true });
    expect(() => readKeyFile(path)).toThrow(`The key file ${path} is no file`);
  });

  test.each([0o640, 0o604, 0o660, 0o644])('with mode %o', (mode) => {
    createKeyFile(path, keys());
    chmodSync(path, mode);
    expect(() => readKeyFile(path)).toThrow(`run "chmod 600 ${path}"`);
  });

  test('when it cannot be read', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => readKeyFile(join(folder, 'file', 'keys.json'))).toThrow(
      'cannot be read (ENOTDIR): check its path, its owner and its mode.',
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

  test('when its disk is full: the old one stays, and nothing beside it', () => {
    const keySet = keys();
    createKeyFile(path, keySet);
    vi.mocked(writeFileSync).mockImplementationOnce(() => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    });
    expect(() => replaceKeyFile(path, keys())).toThrow('its disk is full, free some space');
    expect(JSON.parse(readKeyFile(path) ?? '')).toEqual(keySet);
    expect(readdirSync(join(folder, 'data'))).toEqual(['keys.json']);
  });
});
