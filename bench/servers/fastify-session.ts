/**
 * @fastify/session with connect-redis. By default every answer renews the session, in Redis and by a cookie; with
 * `TUNED` set it is read and nothing else.
 */
import cookie from '@fastify/cookie';
import session from '@fastify/session';
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { cookieHeader, createPeer, readPeerEnv, tellAddress, verifyRoute } from './peer.ts';

declare module 'fastify' {
  interface Session {
    user: AccessClaims;
  }
}

const { clients, redisUrl = '' } = readPeerEnv();
const redis = await createClient({ url: redisUrl }).connect();
const app = createPeer();
await app.register(cookie);
await app.register(session, {
  secret: 'a secret of at least thirty-two characters',
  store: new RedisStore({ client: redis, prefix: process.env.TUNED ? 'tuned:' : 'default:' }),
  cookie: { secure: false },
  ...(process.env.TUNED && { saveUninitialized: false, rolling: false }),
});
app.post<{ Body: AccessClaims }>('/login', (request, reply) => {
  request.session.user = request.body;
  reply.send();
});
verifyRoute(app, (request) => request.session.user);

const credentials = [];
for (const { claims } of clients) {
  const response = await app.inject({ method: 'POST', url: '/login', body: claims });
  credentials.push(cookieHeader([response.headers['set-cookie'] ?? []].flat()));
}
await tellAddress(app, credentials);
