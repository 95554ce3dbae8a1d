import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** As they were measured. A checkout that has never run the tests knows of no durations. */
const LONGEST = [
  'system/browser/docs',
  'system/browser/spa',
  'system/client/webkit',
  'system/client/firefox',
  'system/client/chromium',
  'system/clients',
  'system/browser/cross-site',
  'system/timing',
  'system/dockerfile',
  'system/workers',
  'system/rotation-drill',
  'system/verifier/real-issuer',
  'system/attempts/redis-limits',
  'system/packages/idcard',
  'system/packages/verifier',
  'system/cli/many-users',
  'system/client/bearer',
  'system/operations',
  'system/cli/db-move',
  'verifier/hostile-issuer',
  'http/connections',
  'proofs/tokens/verified-tokens.property',
  'accounts-guessing',
].map((name) => `/test/${name}.test.ts`);

/** In `sequence.sequencer` of vitest: the longest first, so that a run does not wait for one of them at its end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((end) => moduleId.endsWith(end));
      return place === -1 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
