import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findArgon2Build } from '../bin/argon2-build.js';

const V3 = 'avx2 bmi1 bmi2 f16c fma abm movbe';
const V4 = `${V3} avx512f avx512bw avx512cd avx512dq avx512vl`;

const builds = `${mkdtempSync(join(tmpdir(), 'idcard-argon2-'))}/`;
for (const level of ['x86-64-v3', 'x86-64-v4']) mkdirSync(builds + level);
afterAll(() => rmSync(builds, { recursive: true }));

test.each([
  ['of today', V4, 'x86-64-v4'],
  ['without AVX-512', V3, 'x86-64-v3'],
  ['without all of AVX-512', V4.replace('avx512vl', 'avx512er'), 'x86-64-v3'],
  ['without AVX2', V3.replace('avx2', 'avx'), undefined],
  ['without FMA', V4.replace('fma', 'fma4'), undefined],
  ['of which nothing is known', '', undefined],
])('a processor %s runs what it can', (_which, flags, level) => {
  const cpuInfo = `processor\t: 0\nflags\t\t: fpu sse2 ${flags}\nbugs\t\t: avx2\n\nprocessor\t: 1\n`;
  expect(findArgon2Build(builds, cpuInfo)).toBe(level && builds + level);
});

test('a processor of another kind, and a machine without builds, take the argon2 for all', () => {
  expect(findArgon2Build(builds, 'processor\t: 0\nFeatures\t: fp asimd\n')).toBeUndefined();
  expect(findArgon2Build(`${builds}none/`, `flags : ${V4}\n`)).toBeUndefined();
});
