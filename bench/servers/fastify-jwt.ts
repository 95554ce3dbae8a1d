/** @fastify/jwt, verifying in an `onRequest` hook as its README shows. */
import fastifyJwt from '@fastify/jwt';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { AUDIENCE, PUBLIC_URL } from '../issuer.ts';
import { bearer, createPeer, readPeerEnv, tellAddress, verifyRoute } from './peer.ts';

const { clients, publicKeyPem } = readPeerEnv();
const app = createPeer();
await app.register(fastifyJwt, {
  secret: { public: publicKeyPem },
  verify: {
    algorithms: ['ES256'],
    allowedIss: PUBLIC_URL,
    allowedAud: AUDIENCE,
    ...(process.env.CACHE && { cache: Number(process.env.CACHE) }),
  },
});
verifyRoute(app, (request) => request.user as AccessClaims, [
  async (request, reply) => {
    try {
      await request.jwtVerify();
    } catch (error) {
      reply.send(error);
    }
  },
]);
await tellAddress(app, clients.map(bearer));
