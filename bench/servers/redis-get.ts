/** No library of sessions: the claims lie in Redis, under the value of a cookie. */
import { randomBytes } from 'node:crypto';
import cookie from '@fastify/cookie';
import { createClient } from 'redis';
import { cookieHeader, createPeer, readPeerEnv, tellAddress, verifyRoute } from './peer.ts';

const { clients, redisUrl = '' } = readPeerEnv();
const redis = await createClient({ url: redisUrl }).connect();
const app = createPeer();
await app.register(cookie);
app.decorateRequest('claims');
verifyRoute(app, (request) => request.claims, [
  async (request) => {
    const stored = await redis.get(`get:${request.cookies.session}`);
    if (stored !== null) request.claims = JSON.parse(stored);
  },
]);

const credentials = [];
for (const { claims } of clients) {
  const id = randomBytes(24).toString('base64url');
  await redis.set(`get:${id}`, JSON.stringify(claims));
  credentials.push(cookieHeader([`session=${id}`]));
}
await tellAddress(app, credentials);
