/** Passwords verified with argon2 and nothing else: as many at once as there are cores, for as long as asked. */
import { availableParallelism } from 'node:os';
import { hash, verify } from 'argon2';
import { ARGON2, PASSWORD } from '../password.ts';

const stored = await hash(PASSWORD, ARGON2);

process.on('message', async ({ seconds }: { seconds: number }) => {
  const startedAt = performance.now();
  let requests = 0;
  const verifyInTurn = async () => {
    while (performance.now() < startedAt + seconds * 1000) {
      await verify(stored, PASSWORD);
      requests++;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, verifyInTurn));
  process.send?.({ requests, seconds: (performance.now() - startedAt) / 1000 });
});
process.send?.({ address: '' });
