import { setTimeout as sleep } from 'node:timers/promises';
import type { Action } from './actions.ts';
import { Unexpected } from './device.ts';
import type { Crowd, Person } from './people.ts';

/** What was done since it was last asked. */
export interface Doings {
  /** By the action's name: how long each took, from when it was due. */
  latenciesMs: Map<string, number[]>;
  /** Begun more than 100 ms after they were due: this process did not get its share of the machine. */
  late: number;
  /** Not begun, since so many others were under way, or nobody was fit for it. */
  skipped: number;
  failures: Failure[];
}

export interface Failure {
  at: string;
  action: string;
  what: string;
}

export interface Pace {
  /** One after the other, with so many under way at once. @returns actions a second */
  runAsFastAsPossible(seconds: number): Promise<number>;
  /** Steadily, whatever becomes of the ones before. */
  start(perSecond: number): void;
  stop(): Promise<void>;
  doings(): Doings;
}

/** Fewer than a queue of hashes holds, on a machine that is four times as slow as usual. */
const MOST_UNDER_WAY = 64;
const LATE_AFTER_MS = 100;

export function createPace(actions: readonly Action[], crowd: Crowd): Pace {
  const total = actions.reduce((sum, { weight }) => sum + weight, 0);
  const underWay = new Set<Promise<void>>();
  let doings = newDoings();
  let timer: NodeJS.Timeout | undefined;

  /** @returns whether there was somebody for it */
  function begin(dueAtMs: number): boolean {
    const action = draw();
    const person = crowd.take(action.isFor);
    if (!person) return false;
    if (performance.now() - dueAtMs > LATE_AFTER_MS) doings.late++;
    const done = perform(action, person, dueAtMs).then(() => void underWay.delete(done));
    underWay.add(done);
    return true;
  }

  async function perform(action: Action, person: Person, dueAtMs: number): Promise<void> {
    try {
      await action.run(person);
      crowd.giveBack(person);
      const latencies = doings.latenciesMs.get(action.name) ?? [];
      latencies.push(performance.now() - dueAtMs);
      doings.latenciesMs.set(action.name, latencies);
    } catch (error) {
      // The person is not given back: what they have is not known any more.
      const what = error instanceof Unexpected ? error.message : String(error);
      doings.failures.push({ at: new Date().toISOString(), action: action.name, what });
    }
  }

  function draw(): Action {
    let rest = Math.random() * total;
    const drawn = actions.find(({ weight }) => {
      rest -= weight;
      return rest < 0;
    });
    if (!drawn) throw new Error('There are no actions.');
    return drawn;
  }

  return {
    async runAsFastAsPossible(seconds) {
      const startedAt = performance.now();
      let begun = 0;
      while (performance.now() < startedAt + seconds * 1000) {
        while (underWay.size < MOST_UNDER_WAY && begin(performance.now())) begun++;
        await Promise.race([...underWay, sleep(10)]);
      }
      await Promise.all(underWay);
      return begun / ((performance.now() - startedAt) / 1000);
    },
    start(perSecond) {
      let due = performance.now();
      timer = setInterval(() => {
        for (; due <= performance.now(); due += 1000 / perSecond) {
          if (underWay.size >= MOST_UNDER_WAY || !begin(due)) doings.skipped++;
        }
      }, 1);
    },
    async stop() {
      clearInterval(timer);
      await Promise.race([Promise.all(underWay), sleep(20_000)]);
    },
    doings() {
      const done = doings;
      doings = newDoings();
      return done;
    },
  };
}

function newDoings(): Doings {
  return { latenciesMs: new Map(), late: 0, skipped: 0, failures: [] };
}
