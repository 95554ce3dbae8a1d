import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTokenHeader } from '../../../src/proofs/jws.ts';
import { bearer, createTestApp, type TestApp } from '../../support/app.ts';
import { base64url, forgeAccess } from '../../support/forge.ts';

const segment = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
const header = base64url({ alg: 'ES256', typ: 'at+jwt', kid: 'k' });

describe('the parser', () => {
  test('reads the header of any three canonical segments', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string({ maxLength: 128 }),
        segment,
        segment,
        (alg, kid, payload, signature) => {
          const token = `${base64url({ alg, typ: 'at+jwt', kid })}.${payload}.${signature}`;
          expect(readTokenHeader(token)).toEqual({ alg, typ: 'at+jwt', kid });
        },
      ),
    );
  });

  test('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => {
        readTokenHeader(text);
        readTokenHeader(`${base64url(text)}..`);
        readTokenHeader(`${base64url(text)}.${text}.`);
      }),
    );
  });

  test('knows one text for each sequence of bytes', () => {
    fc.assert(
      fc.property(segment, segment, (payload, signature) => {
        const canonical = (text: string) => Buffer.from(text, 'base64url').toString('base64url') === text;
        for (const last of ['A', 'B', 'Q', 'R', '_']) {
          const changed = signature.slice(0, -1) + last;
          const isRead = readTokenHeader(`${header}.${payload}.${changed}`) !== undefined;
          expect(isRead).toBe(canonical(changed));
        }
      }),
    );
  });

  test('takes no longer for long hostile texts than their length', () => {
    const hostile = ['a'.repeat(1e6), `${'a.'.repeat(5e5)}`, `${header}.${'A'.repeat(4000)}!.a`];
    for (const text of hostile) expect(readTokenHeader(text)).toBeUndefined();
  });
});

describe('a changed token', () => {
  let idcard: TestApp;
  beforeAll(async () => {
    idcard = await createTestApp();
  });
  afterAll(() => idcard.close());

  test('is never accepted, and never a failure of the server', async () => {
    const token = forgeAccess(idcard.jwks);
    const mutation = fc.record({
      at: fc.nat(token.length - 1),
      length: fc.nat(3),
      text: fc.string({ unit: fc.constantFrom(...'AZaz09-_.=+/ ,%{}"\\\u00e9'), maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        const changed = mutations.reduce(
          (text, { at, length, text: inserted }) => text.slice(0, at) + inserted + text.slice(at + length),
          token,
        );
        const { statusCode } = await idcard.app.inject({ url: '/v1/verify', headers: bearer(changed) });
        expect(statusCode).toBe(changed.trim() === token ? 200 : 401);
      }),
      { numRuns: 2000 },
    );
  });
});
