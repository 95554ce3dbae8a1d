/** passport-jwt on Express. */
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { AUDIENCE, PUBLIC_URL } from '../issuer.ts';
import { createExpressPeer, sendClaims, tellExpressAddress } from './express.ts';
import { bearer, readPeerEnv } from './peer.ts';

const { clients, publicKeyPem } = readPeerEnv();
passport.use(
  new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: publicKeyPem,
      issuer: PUBLIC_URL,
      audience: AUDIENCE,
      algorithms: ['ES256'],
    },
    (payload, done) => done(null, payload),
  ),
);
const app = createExpressPeer();
app.get('/v1/verify', passport.authenticate('jwt', { session: false }), (request, response) => {
  sendClaims(response, request.user as AccessClaims);
});
await tellExpressAddress(app, clients.map(bearer));
