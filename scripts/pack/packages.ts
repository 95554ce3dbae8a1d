import { globSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };

/** What others install, made from this one source tree. */
export interface Package {
  /** Of its `package.json`, what all of them do not have and what does not follow from the rest. */
  manifest: { description: string; [field: string]: unknown };
  /** What can be imported: `index` by the name of the package, others by theirs behind it. */
  entries: { index: string; [name: string]: string };
  /** Where the compiled entries are. */
  folder: '.' | 'lib';
  /** Files that are taken as they are, by their names in the checkout, and what they are called in the package. */
  files: Record<string, string>;
  /** Which versions of what it imports will do: `''` is the one of the lockfile, `'^'` a later compatible one as well. */
  range: '' | '^';
  /** Whether it has the command, with the page at /docs. */
  hasCommand: boolean;
}

const unmoved = (paths: readonly string[]) => Object.fromEntries(paths.map((path) => [path, path]));

export const PACKAGES: Record<string, Package> = {
  idcard: {
    manifest: {
      description: packageJson.description,
      engines: packageJson.engines,
      bin: { idcard: 'bin/idcard.js' },
    },
    entries: { index: 'src/index.ts' },
    folder: 'lib',
    files: unmoved([
      ...['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'openapi.yaml', 'openapi-3.0.yaml', 'bin'],
      ...globSync('docs/**/*.md'),
    ]),
    range: '',
    hasCommand: true,
  },
  'idcard-verifier': {
    manifest: {
      description:
        'Verifies the tokens of idcard in other services: a plugin for Fastify, and a kit for tests.',
      engines: { node: '>=20.12' }, // crypto.hash
    },
    entries: { index: 'src/verifier/index.ts', testing: 'src/verifier/testing.ts' },
    folder: '.',
    files: {
      'docs/verifying.md': 'README.md',
      'docs/threat-model.md': 'threat-model.md',
      LICENSE: 'LICENSE',
    },
    range: '^', // a service may have the same package beside it
    hasCommand: false,
  },
  'idcard-client': {
    manifest: {
      description: 'Logs in to idcard and stays logged in, from browsers, React Native, workers and Node.js.',
      module: './index.js', // for bundlers that know no `exports`
      sideEffects: false,
    },
    entries: { index: 'src/client/index.ts' },
    folder: '.',
    files: { 'docs/client.md': 'README.md', LICENSE: 'LICENSE' },
    range: '^',
    hasCommand: false,
  },
};
