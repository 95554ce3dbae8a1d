import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest first, as they were measured, so that none of them is what the whole run waits for at its end. */
const LONGEST = ['client/browser', 'browser/docs'];

/** In `sequence.sequencer` of vitest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.findIndex((name) => moduleId.endsWith(`/test/system/${name}.test.ts`));
      return index === -1 ? LONGEST.length : index;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
