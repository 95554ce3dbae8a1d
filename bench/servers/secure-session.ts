/** @fastify/secure-session: the claims travel encrypted in the cookie. */
import { randomBytes } from 'node:crypto';
import secureSession from '@fastify/secure-session';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { cookieHeader, createPeer, readPeerEnv, tellAddress, verifyRoute } from './peer.ts';

declare module '@fastify/secure-session' {
  interface SessionData {
    user: AccessClaims;
  }
}

const { clients } = readPeerEnv();
const app = createPeer();
await app.register(secureSession, { key: randomBytes(32), cookie: { path: '/' } });
app.post<{ Body: AccessClaims }>('/login', (request, reply) => {
  request.session.set('user', request.body);
  reply.send();
});
verifyRoute(app, (request) => request.session.get('user'));

const credentials = [];
for (const { claims } of clients) {
  const response = await app.inject({ method: 'POST', url: '/login', body: claims });
  credentials.push(cookieHeader([response.headers['set-cookie'] ?? []].flat()));
}
await tellAddress(app, credentials);
