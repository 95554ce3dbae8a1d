import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'rolldown';
import packageJson from '../../package.json' with { type: 'json' };
import commandLine, { docsPage } from '../../rolldown.config.ts';
import { PACKAGES, type Package } from './packages.ts';
import { packagePage } from './pages.ts';
import { copyTypes, emitTypes } from './types.ts';

/**
 * Makes packages as `npm pack` does, in the root of a checkout.
 * @param destination a folder that is there
 * @returns the paths of the tarballs
 */
export async function pack(names: readonly string[], destination: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'idcard-pack-'));
  try {
    emitTypes(join(folder, 'types'));
    for (const name of names) await stage(name, join(folder, name), join(folder, 'types'));
    const folders = names.map((name) => join(folder, name));
    execFileSync('npm', ['pack', '--silent', '--pack-destination', destination, ...folders]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return names.map((name) => join(destination, `${name}-${packageJson.version}.tgz`));
}

/** Puts into a folder what a package has. */
async function stage(name: string, folder: string, types: string): Promise<void> {
  const contents = PACKAGES[name];
  if (!contents) throw new Error(`There is no package ${name}.`);
  mkdirSync(folder);
  for (const path of Object.keys(contents.files)) copyFile(path, folder, contents.files);
  const imported = await compile(contents, join(folder, contents.folder));
  for (const [entry, source] of Object.entries(contents.entries)) {
    imported.push(...copyTypes(source, types, join(folder, contents.folder, 'types')));
    const declarations = `export * from './types/${source.replace(/\.ts$/, '.js')}';\n`;
    writeFileSync(join(folder, contents.folder, `${entry}.d.ts`), declarations);
  }
  if (contents.hasCommand)
    await build({ ...commandLine, output: { ...commandLine.output, dir: join(folder, 'dist') } });
  const manifest = manifestOf(name, contents, imported);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * What is imported stays readable; the packages that npm installs beside it are left out.
 * @returns what the compiled files import
 */
async function compile({ entries, hasCommand }: Package, dir: string): Promise<string[]> {
  const others = Object.keys({ ...packageJson.dependencies, ...packageJson.peerDependencies });
  const { output } = await build({
    input: entries,
    platform: 'node',
    external: [/^node:/, ...others.map((other) => new RegExp(`^${other}(/|$)`))],
    plugins: hasCommand ? [docsPage] : [],
    logLevel: 'warn',
    output: { dir, chunkFileNames: 'chunks/[name]-[hash].js' },
  });
  const chunks = output.filter((file) => file.type === 'chunk');
  const own = chunks.map(({ fileName }) => fileName);
  const imported = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]);
  return imported.filter((name) => !own.includes(name));
}

function manifestOf(name: string, contents: Package, imported: readonly string[]): object {
  const { manifest, entries, folder, files, range } = contents;
  const at = (file: string) => `./${join(folder, file)}`;
  const paths = Object.keys(entries).map((entry) => [
    entry === 'index' ? '.' : `./${entry}`,
    { types: at(`${entry}.d.ts`), default: at(`${entry}.js`) },
  ]);
  const documents = Object.keys(files).filter((path) => path.endsWith('.yaml'));
  const asTheyAre = ['package.json', ...documents].map((path) => [`./${path}`, `./${path}`]);
  const { version, license, dependencies, peerDependencies } = packageJson;
  const needed = new Set(imported.map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0]));
  const neededOf = (versions: Record<string, string>, prefix: string) => {
    const entries = Object.entries(versions).filter(([other]) => needed.has(other));
    return entries.length > 0
      ? Object.fromEntries(entries.map(([other, it]) => [other, prefix + it]))
      : undefined;
  };
  return {
    name,
    version,
    license,
    ...manifest,
    type: 'module',
    exports: Object.fromEntries([...paths, ...asTheyAre]),
    // For what knows no `exports`: React Native before 0.79, TypeScript by node10.
    main: at('index.js'),
    types: at('index.d.ts'),
    dependencies: neededOf(dependencies, range),
    peerDependencies: neededOf(peerDependencies, ''),
  };
}

function copyFile(path: string, folder: string, files: Package['files']): void {
  const target = join(folder, files[path] ?? path);
  mkdirSync(dirname(target), { recursive: true });
  if (path.endsWith('.md')) writeFileSync(target, packagePage(readFileSync(path, 'utf8'), path, files));
  else cpSync(path, target, { recursive: true });
}
