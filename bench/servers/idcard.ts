/**
 * The app as shipped, with routes beside it that answer the bytes and headers of `GET /v1/verify` without any login:
 * `/bare` does nothing else, `/signature` checks the signature of the DPoP header and nothing of what it says, and
 * `/verifier` has fast-jwt check the token.
 */
import { createPublicKey, verify } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import { pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { PUBLIC_URL, TOKEN_TTL_SECONDS } from '../issuer.ts';
import { readPeerEnv, sendClaims, tellAddress } from './peer.ts';

const config = readConfig({
  DATABASE_URL: 'sqlite::memory:',
  RATE_LIMITS: 'off',
  REGISTRATION: 'open',
  ACCESS_TOKEN_TTL_SECONDS: String(TOKEN_TTL_SECONDS),
  PUBLIC_URL,
  ...process.env,
});
const app = await buildApp(config, { logger: pino({ level: 'silent' }) });

const { clients, publicKeyPem, proofKeyPem } = readPeerEnv();
const claims = clients[0]?.claims;
if (!claims) throw new Error('No claims to answer.');
const schema = { querystring: AccessClaims.pick({}).strict(), response: { 200: AccessClaims } };
app.get('/bare', { schema }, (_request, reply) => {
  sendClaims(reply, claims);
});

const proofKey = proofKeyPem === undefined ? undefined : createPublicKey(proofKeyPem);
app.get('/signature', { schema }, (request, reply) => {
  const proof = String(request.headers.dpop);
  const dot = proof.lastIndexOf('.');
  const signature = Buffer.from(proof.slice(dot + 1), 'base64url');
  const input = Buffer.from(proof.slice(0, dot));
  if (!proofKey || !verify('sha256', input, { key: proofKey, dsaEncoding: 'ieee-p1363' }, signature)) {
    throw new Error('A proof of another key.');
  }
  sendClaims(reply, claims);
});

const verifyToken = createVerifier({ key: publicKeyPem, algorithms: ['ES256'], cache: false });
app.get('/verifier', { schema }, (request, reply) => {
  verifyToken(request.headers.authorization?.slice('Bearer '.length) ?? '');
  sendClaims(reply, claims);
});

// The guard asks, on systems that do not tell it otherwise too.
process.on('message', () => process.send?.(process.cpuUsage()));

await tellAddress(app);
