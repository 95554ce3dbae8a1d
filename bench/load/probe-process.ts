/** Sends a request at a steady pace, whatever becomes of the ones before, and tells how long each took. */
import { Agent, get } from 'node:http';

export interface ProbeOptions {
  url: string;
  headers: Readonly<Record<string, string>>;
  perSecond: number;
}

export interface ProbeReport {
  /** From when each was due, so that a delay of this process counts as well. */
  latenciesMs: number[];
  /** Answers other than 200. */
  failures: number;
}

const { url, headers, perSecond }: ProbeOptions = JSON.parse(process.argv[2] ?? '');
const agent = new Agent({ keepAlive: true });
let report = newReport();
let due = performance.now();

process.on('message', () => {
  process.send?.(report);
  report = newReport();
});
setInterval(() => {
  for (; due <= performance.now(); due += 1000 / perSecond) probe(due);
}, 1);

function probe(dueAt: number): void {
  get(url, { agent, headers }, (response) => {
    response.resume().on('end', () => {
      report.latenciesMs.push(performance.now() - dueAt);
      if (response.statusCode !== 200) report.failures++;
    });
  }).on('error', (error) => {
    throw error;
  });
}

function newReport(): ProbeReport {
  return { latenciesMs: [], failures: 0 };
}
