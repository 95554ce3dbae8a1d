/** A server and a flood of logins in one process; prints what is done, in its order, a line each. */
import { webcrypto } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { serve } from '../../src/main.ts';
import { ADA } from './app.ts';

const LOGINS = 40;

await serve(process.env);
const done: string[] = [];
const flood = Array.from({ length: LOGINS }, async () => {
  const response = await fetch(`${process.env.PUBLIC_URL}/v1/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(ADA),
  });
  if (response.status !== 200) throw new Error(`login answered ${response.status}`);
  done.push('login');
});
while (done.length < LOGINS / 4) await setImmediate(); // by then all others have arrived
done.push('start');
await Promise.all([
  lookup('localhost').then(() => done.push('dns')),
  readFile('package.json').then(() => done.push('file')),
  webcrypto.subtle.digest('SHA-256', new Uint8Array(1)).then(() => done.push('webcrypto')),
]);
await Promise.all(flood);
console.log(done.join('\n'));
process.exit();
