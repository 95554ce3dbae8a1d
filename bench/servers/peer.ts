import { readFileSync, writeFileSync } from 'node:fs';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type onRequestHookHandler,
} from 'fastify';
import { setSecurityHeaders } from '../../src/http/security-headers.ts';
import { serializerCompiler } from '../../src/http/zod.ts';
import { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import type { Client } from '../issuer.ts';
import { temporaryPath } from '../temporary.ts';

/** What the benchmark gives a server under measurement, in a file that `PEER_FILE` names. */
export interface PeerEnv {
  /** Whoever sends requests; a peer that has credentials of its own kind makes them for these users. */
  clients: readonly Client[];
  /** What verifies their tokens. */
  publicKeyPem: string;
  redisUrl?: string | undefined;
  /** The key of the one who sends proofs to `/signature`. */
  proofKeyPem?: string | undefined;
}

export type Credential = Readonly<Record<string, string>>;

/** @returns the value of `PEER_FILE` */
export function writePeerFile(env: PeerEnv): string {
  const path = temporaryPath('.json');
  writeFileSync(path, JSON.stringify(env));
  return path;
}

export function readPeerEnv(): PeerEnv {
  return JSON.parse(readFileSync(process.env.PEER_FILE ?? '', 'utf8'));
}

/** A Fastify that sends the headers and uses the serializer of idcard. */
export function createPeer(): FastifyInstance {
  const app = Fastify();
  app.setSerializerCompiler(serializerCompiler);
  setSecurityHeaders(app);
  return app;
}

/** `GET /v1/verify` with the answer of idcard; who asks is the peer's to find out. */
export function verifyRoute(
  app: FastifyInstance,
  claimsOf: (request: FastifyRequest) => AccessClaims | undefined,
  onRequest: onRequestHookHandler[] = [],
): void {
  const schema = { response: { 200: AccessClaims } };
  app.get('/v1/verify', { schema, onRequest }, (request, reply: FastifyReply) => {
    const claims = claimsOf(request);
    if (!claims) return reply.code(401).send();
    return sendClaims(reply, claims);
  });
}

/** The answer of `GET /v1/verify`. */
export function sendClaims(reply: FastifyReply, claims: AccessClaims): FastifyReply {
  return reply
    .header('x-auth-subject', claims.sub)
    .header('x-auth-roles', claims.roles.join(','))
    .send(claims);
}

/** Listens, and tells the benchmark where, and what its clients are to send. */
export async function tellAddress(
  app: FastifyInstance,
  credentials: readonly Credential[] = [],
): Promise<void> {
  process.send?.({ address: await app.listen({ host: '127.0.0.1', port: 0 }), credentials });
}

export function bearer({ token }: Client): Credential {
  return { authorization: `Bearer ${token}` };
}

/** The Cookie header of a client that has got these Set-Cookie headers. */
export function cookieHeader(setCookie: readonly string[]): Credential {
  return { cookie: setCookie.map((each) => each.split(';', 1)[0]).join('; ') };
}
