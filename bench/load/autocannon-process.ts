/** Sends the requests of a file in turn, from a given one on, and prints what came of it as JSON. */
import { readFileSync } from 'node:fs';
import autocannon, { type Request } from 'autocannon';

const [url = '', file = '', connections = '', seconds = '', first = ''] = process.argv.slice(2);
const inFile = readFileSync(file, 'utf8')
  .split('\n')
  .map((line) => JSON.parse(line) as Request);
const requests = [...inFile.slice(Number(first)), ...inFile.slice(0, Number(first))];
const share = Math.ceil(requests.length / Number(connections));
let client = 0;
let answeredAt = 0; // autocannon itself rounds to whole seconds
const startedAt = performance.now();
const result = await autocannon({
  url,
  connections: Math.min(Number(connections), requests.length),
  duration: Number(seconds),
  timeout: 60,
  setupClient(connection) {
    // Each connection has its share, since some requests may be sent once only.
    const own = requests.slice(client * share, ++client * share);
    connection.setRequests(own.length > 0 ? own : requests);
    connection.on('response', () => {
      answeredAt = performance.now();
    });
  },
});
console.log(
  JSON.stringify({
    requests: result.requests.total,
    seconds: (answeredAt - startedAt) / 1000,
    failures: result['4xx'] + result['5xx'] + result.errors,
    sent: result.requests.sent,
    latencyMs: { median: result.latency.p50, p99: result.latency.p99 },
  }),
);
