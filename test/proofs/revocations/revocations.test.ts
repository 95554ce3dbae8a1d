import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRevocations } from '../../../src/proofs/revocations/revocations.ts';

const KEEP = 300;
const raised = (sub: string, ver: number, raisedAtSeconds: number) => ({ sub, ver, raisedAtSeconds });

test('a token of an older version is revoked; one of this version or a newer one is not', () => {
  const revocations = createRevocations(KEEP);
  revocations.add([raised('ada', 3, 1000)]);
  expect([1, 2, 3, 4].map((ver) => revocations.isRevoked({ sub: 'ada', ver }))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(revocations.isRevoked({ sub: 'bob', ver: 1 })).toBe(false);
  expect(revocations.isRevoked({ sub: '__proto__', ver: 1 })).toBe(false);
});

test('hearing of it again, or of an older one, changes nothing', () => {
  const revocations = createRevocations(KEEP);
  revocations.add([raised('ada', 3, 1000)]);
  const { revision } = revocations;
  revocations.add([raised('ada', 3, 1000), raised('ada', 2, 1001)]);
  expect(revocations.revision).toBe(revision);
  expect([...revocations.list()]).toEqual([raised('ada', 3, 1000)]);
});

describe('the list empties itself', () => {
  test('at the second at which the last token that it refuses has expired', () => {
    const revocations = createRevocations(KEEP);
    revocations.add([raised('ada', 2, 1000)]);
    revocations.prune(1299);
    expect(revocations.size).toBe(1);
    revocations.prune(1300);
    expect(revocations.size).toBe(0);
  });

  test('so that it never holds more than what was revoked within one access lifetime', () => {
    const steps = fc.array(fc.record({ after: fc.nat(100), sub: fc.nat(20) }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (schedule) => {
        const revocations = createRevocations(KEEP);
        const model = new Map<string, number>();
        let now = 1000;
        schedule.forEach(({ after, sub }, ver) => {
          now += after;
          revocations.add([raised(String(sub), ver, now)]);
          revocations.prune(now);
          model.set(String(sub), now);
          const expected = [...model].filter(([, at]) => now < at + KEEP).map(([name]) => name);
          expect([...revocations.list()].map((entry) => entry.sub).sort()).toEqual(expected.sort());
        });
      }),
    );
  });
});
