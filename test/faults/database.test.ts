import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacks } from '../support/system.ts';
import { workersOf as childrenOf } from '../support/workers.ts';
import { ofKind, runDrill } from './support/drill.ts';
import { figuresOf } from './support/figures.ts';
import { type Link, startLink } from './support/link.ts';
import { KINDS } from './support/load.ts';
import { type System, startSystem } from './support/system.ts';

const LASTS_MS = 4000;
const PROMISED_MS = 2000;
const PROMISED_RECOVERY_SECONDS = 5;
/** What a busy machine may add before it counts as a failure. */
const MARGIN_MS = 1000;

describe.skipIf(lacks('nginx'))('verification goes on, and the others are 503 within 2 s, when', () => {
  let system: System;
  let link: Link;
  beforeAll(async () => {
    system = await startSystem({
      async reachDatabase(port) {
        link = await startLink(port);
        return link.port;
      },
    });
  });
  afterAll(async () => {
    await system?.remove();
    await link?.close();
  });

  /** Processes of the database server, the one that starts all others first. */
  function signalDatabase(signal: NodeJS.Signals): void {
    const { pid } = system.database;
    for (const process_ of [pid, ...childrenOf(pid)]) process.kill(process_, signal);
  }

  test.each([
    {
      name: 'the database is shut down at once',
      strike: async () => system.database.stop(),
      mend: async () => system.database.start(),
    },
    {
      name: 'the database is killed',
      strike: async () => signalDatabase('SIGKILL'),
      mend: async () => system.database.start(),
    },
    {
      name: 'the database is stopped and not closed',
      strike: async () => signalDatabase('SIGSTOP'),
      mend: async () => signalDatabase('SIGCONT'),
    },
    {
      name: 'the network to the database is cut',
      strike: async () => link.cut(),
      mend: async () => link.mend(),
    },
  ])('$name', async (fault) => {
    const { failures, secondsToRecover } = await runDrill(system, { ...fault, lastsMs: LASTS_MS });
    expect(ofKind(failures, 'verify')).toEqual([]);
    for (const { status, retryAfter, text } of failures) {
      expect([status, retryAfter], text).toEqual([503, '2']);
    }
    for (const kind of KINDS.filter((each) => each !== 'verify')) {
      expect(ofKind(failures, kind), kind).not.toEqual([]);
      expect(figuresOf(ofKind(failures, kind)).slowestMs, kind).toBeLessThan(PROMISED_MS + MARGIN_MS);
    }
    expect(secondsToRecover).toBeLessThan(PROMISED_RECOVERY_SECONDS);
  });
});
