/** Auth.js on Express: `getSession` of its encrypted JWT, which is its default without a database. */
import { encode } from '@auth/core/jwt';
import { type ExpressAuthConfig, getSession } from '@auth/express';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { createExpressPeer, sendClaims, tellExpressAddress } from './express.ts';
import { cookieHeader, readPeerEnv } from './peer.ts';

const COOKIE = 'authjs.session-token';
const secret = 'a secret of at least thirty-two characters';
const config: ExpressAuthConfig = {
  secret,
  providers: [],
  logger: { error: () => {} }, // it tells of every refusal
  trustHost: true,
  session: { strategy: 'jwt' },
  callbacks: { session: ({ session, token }) => ({ ...session, claims: token.claims }) },
};
const app = createExpressPeer();
app.get('/v1/verify', async (request, response) => {
  const session = (await getSession(request, config)) as { claims?: AccessClaims } | null;
  if (session?.claims) sendClaims(response, session.claims);
  else response.status(401).end();
});

const credentials = [];
for (const { claims } of readPeerEnv().clients) {
  const token = await encode({ token: { sub: claims.sub, claims }, secret, salt: COOKIE });
  credentials.push(cookieHeader([`${COOKIE}=${token}`]));
}
await tellExpressAddress(app, credentials);
