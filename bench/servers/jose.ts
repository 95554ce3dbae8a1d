/** jose, with a key that was imported once. */
import { importSPKI, jwtVerify } from 'jose';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { AUDIENCE, PUBLIC_URL } from '../issuer.ts';
import { bearer, createPeer, readPeerEnv, tellAddress, verifyRoute } from './peer.ts';

const { clients, publicKeyPem } = readPeerEnv();
const key = await importSPKI(publicKeyPem, 'ES256');
const app = createPeer();
app.decorateRequest('claims');
verifyRoute(app, (request) => request.claims, [
  async (request, reply) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
    try {
      const { payload } = await jwtVerify<AccessClaims>(token, key, {
        issuer: PUBLIC_URL,
        audience: AUDIENCE,
        algorithms: ['ES256'],
        typ: 'at+jwt',
      });
      request.claims = payload;
    } catch {
      reply.code(401).send();
    }
  },
]);
await tellAddress(app, clients.map(bearer));
