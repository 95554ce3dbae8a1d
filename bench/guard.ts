/**
 * `npm run check` ends with this: that a verified request has not become dear. By the CPU time that the server spends on
 * the same requests with and without verification, in turn, so that it hardly depends on what else runs here.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { createIssuer } from './issuer.ts';
import { startServer } from './server-process.ts';
import { writePeerFile } from './servers/peer.ts';
import { median } from './statistics.ts';

/** 0.9 is usual. */
const LEAST_RATIO = 0.65;
const ROUNDS = 15;
const WARM_UP_ROUNDS = 5;
const REQUESTS = 5000;

const issuer = createIssuer();
const clients = issuer.issue(REQUESTS / 10);
const server = await startServer('idcard.ts', {
  KEY_SET: issuer.keySet,
  PEER_FILE: writePeerFile({ clients, publicKeyPem: issuer.publicKeyPem }),
});
const { hostname, port } = new URL(server.address);
const socket = connect(Number(port), hostname);
await once(socket, 'connect');

async function cpuMicroseconds(): Promise<number> {
  server.send('usage');
  const { user, system } = (await server.nextMessage()) as NodeJS.CpuUsage;
  return user + system;
}

async function costOf(path: string): Promise<number> {
  const before = await cpuMicroseconds();
  const requests = clients.map(
    ({ token }) => `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  for (let sent = 0; sent < REQUESTS; sent += requests.length) {
    socket.write(requests.join(''));
    await untilAnswered(requests.length);
  }
  return (await cpuMicroseconds()) - before;
}

/** All sent at once (RFC 9112 §9.3.2), so that sending costs little and what is measured stands out. */
async function untilAnswered(count: number): Promise<void> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.split('HTTP/1.1 200 OK').length - 1 === count) return;
    if (text.includes('HTTP/1.1 4')) break;
  }
  throw new Error(`Not every request was answered: ${text.slice(-1000)}`);
}

const ratios: number[] = [];
for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
  const ratio = (await costOf('/bare')) / (await costOf('/v1/verify'));
  if (round >= WARM_UP_ROUNDS) ratios.push(ratio);
}
socket.destroy();
await server.stop();

const ratio = median(ratios).toFixed(2);
console.log(`GET /v1/verify is ${ratio} times as fast as the same answer without login.`);
if (Number(ratio) < LEAST_RATIO) {
  console.error(
    `It must be ${LEAST_RATIO} times as fast: find out what a verified request now does that it did not.`,
  );
  process.exitCode = 1;
}
