#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence and not a stack.
import fs from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { findArgon2Build } from './argon2-build.js';

const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(
    `idcard needs Node.js 24 or later and this is ${process.version}. ` +
      'In a checkout on Linux (with glibc) or Windows (x64), "npm start" and "npm run idcard" bring their own after "npm ci".',
  );
  process.exit(1);
}

// V8 reads it before it runs anything, and no option of Node.js can stand in the first line: the env of Alpine takes none. The
// process stays the same, so signals find it. One that was forked has a channel to its parent, which would be lost.
const YOUNG_GENERATION = '--max-semi-space-size';
const isSet = [...process.execArgv, process.env.NODE_OPTIONS].some((text) =>
  text?.includes(YOUNG_GENERATION),
);
if (process.argv[2] === 'serve' && !isSet && !process.send && process.platform !== 'win32') {
  const options = [`${YOUNG_GENERATION}=4`, ...process.execArgv];
  process.execve?.(process.execPath, [process.argv0, ...options, ...process.argv.slice(1)], process.env);
}

// Under load V8 would let garbage grow to three times of what is in use before it looks.
v8.setFlagsFromString('--heap-growing-percent=50');

// Not the default folder, which every user of the machine may write to: what is in it is run.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/idcard', import.meta.url)));

const argon2Build = findArgon2Build();
if (argon2Build) process.env.ARGON2_PREBUILD ??= argon2Build; // where argon2 looks for its binary first

// A checkout runs from its sources; the image and the package hold the compiled ones alone.
const source = new URL('../src/cli/main.ts', import.meta.url);
const entry = fs.existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url);
const { main } = await import(entry);
await main(process.argv, process.env);
