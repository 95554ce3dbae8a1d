import { beforeEach } from 'vitest';
import { sha256 } from '../../../src/base/digest.ts';
import type { Revocation } from '../../../src/proofs/revocations/revocations.ts';
import { decode, START, type TestApp } from '../../support/app.ts';
import { test as base, describe, expect } from '../../support/idcard.ts';

const MANY = 50_000;
const TOLERANCE = 5;

/** What the directory says. */
let raised: Revocation[];
beforeEach(() => {
  raised = [];
});
const test = base.extend('options', {
  env: { CLOCK_TOLERANCE_SECONDS: String(TOLERANCE) },
  directory: (directory) => ({ ...directory, raisedSince: async () => raised }),
});

interface Claims {
  iat: number;
  not_before?: number;
  revocations: Record<string, number>;
}

/** So many users, of whom the one with the number `index` was revoked at `raisedAt(index)`. */
const users = (count: number, raisedAt: (index: number) => number, ver = 2): Revocation[] =>
  Array.from({ length: count }, (_, index) => ({
    sub: `user ${index}`,
    ver,
    raisedAtSeconds: raisedAt(index),
  }));

async function read({ app, get }: TestApp): Promise<{ text: string; etag: string; claims: Claims }> {
  await app.pollRevocations();
  const { body, headers } = await get('/.well-known/revocations');
  return { text: body, etag: String(headers.etag), claims: decode(body) as unknown as Claims };
}

test('50,000 revoked users are listed, in less than the 4 MiB that a verifier reads, whatever their versions', async ({
  idcard,
}) => {
  raised = users(MANY, () => START, 99_999_999_999_999);
  const { text, claims } = await read(idcard);
  expect(Object.keys(claims.revocations)).toHaveLength(MANY);
  expect(claims).not.toHaveProperty('not_before');
  expect(text.length).toBeLessThan(4 * 1024 ** 2);
});

describe('of more than 50,000', () => {
  test('the latest are listed, and no token of the others is younger than not_before', async ({ idcard }) => {
    raised = users(70_000, (index) => START - 200 + (index % 100));
    const { text, claims } = await read(idcard);
    const listed = raised.filter(({ sub }) => sha256(sub) in claims.revocations);
    const others = raised.filter(({ sub }) => !(sha256(sub) in claims.revocations));
    expect(listed.length).toBeGreaterThan(MANY - 700);
    expect(listed.length).toBeLessThanOrEqual(MANY);
    expect(Object.keys(claims.revocations)).toHaveLength(listed.length);
    const latestOther = Math.max(...others.map(({ raisedAtSeconds }) => raisedAtSeconds));
    expect(Math.min(...listed.map(({ raisedAtSeconds }) => raisedAtSeconds))).toBe(latestOther + 1);
    expect(claims.not_before).toBeGreaterThanOrEqual(latestOther + TOLERANCE); // by a clock that is ahead
    expect(claims.not_before).toBeLessThan(START);
    expect(text.length).toBeLessThan(4 * 1024 ** 2);
  });

  test('that were revoked in one second, none is listed, and what is issued from then on is good', async ({
    idcard,
  }) => {
    idcard.time.now = START + 1;
    raised = users(MANY + 1, () => START);
    const { claims } = await read(idcard);
    expect(claims.revocations).toEqual({});
    expect(claims.not_before).toBeGreaterThanOrEqual(START + TOLERANCE);
    expect(claims.not_before).toBeLessThanOrEqual(START + 1 + TOLERANCE);
    idcard.time.now += 60;
    expect((await read(idcard)).claims.not_before).toBe(claims.not_before);
  });

  test('one that became known late has tokens that are younger than its revocation', async ({ idcard }) => {
    raised = users(MANY, () => START - 50);
    await read(idcard);
    idcard.time.now += 10;
    raised = [...raised, { sub: 'late', ver: 2, raisedAtSeconds: START - 55 }];
    const { claims } = await read(idcard);
    expect(claims.not_before).toBeGreaterThanOrEqual(START - 55 + TOLERANCE);
    expect(Object.keys(claims.revocations).length).toBeLessThanOrEqual(MANY);
  });

  test('a clock that was ahead voids nothing that is still to be issued', async ({ idcard }) => {
    raised = users(MANY + 1, () => START + 3600);
    idcard.time.now = START + 3600;
    await read(idcard);
    idcard.time.now = START;
    const { claims } = await read(idcard);
    expect([claims.iat, claims.not_before]).toEqual([START, START + TOLERANCE]);
  });
});

describe('each change is signed', () => {
  const countSigned = async (idcard: TestApp, before: number) => {
    raised = users(before, () => START);
    const etags = [(await read(idcard)).etag];
    for (let change = 0; change < 3; change++) {
      raised = [{ sub: `more ${change}`, ver: 2, raisedAtSeconds: START }];
      etags.push((await read(idcard)).etag);
    }
    return new Set(etags).size;
  };

  test('at once while the list is short', async ({ idcard }) => {
    expect(await countSigned(idcard, 100)).toBe(4);
  });

  test('once a second when it is long', async ({ idcard }) => {
    expect(await countSigned(idcard, 1001)).toBe(1);
    idcard.time.now += 1;
    expect(Object.keys((await read(idcard)).claims.revocations)).toHaveLength(1004);
  });
});

test('an entry that was raised again has its new version, and one that was forgotten is gone', async ({
  idcard,
}) => {
  raised = users(1, () => START);
  expect(Object.values((await read(idcard)).claims.revocations)).toEqual([2]);
  raised = users(1, () => START + 1, 3);
  expect(Object.values((await read(idcard)).claims.revocations)).toEqual([3]);
  raised = [];
  idcard.time.now += 366;
  await idcard.app.pollRevocations();
  expect((await read(idcard)).claims.revocations).toEqual({});
});

test('a list that was signed by a clock that was ahead is signed again when it is right', async ({
  idcard,
}) => {
  idcard.time.now += 86_400;
  expect((await read(idcard)).claims.iat).toBe(START + 86_400);
  idcard.time.now = START;
  expect((await read(idcard)).claims.iat).toBe(START);
});
