import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Express, type Response } from 'express';
import { SECURITY_HEADERS } from '../../src/http/security-headers.ts';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import type { Credential } from './peer.ts';

/** An Express that sends the headers of idcard and none of its own. */
export function createExpressPeer(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.set(SECURITY_HEADERS);
    next();
  });
  return app;
}

export function sendClaims(response: Response, claims: AccessClaims): void {
  response.set({ 'x-auth-subject': claims.sub, 'x-auth-roles': claims.roles.join(',') }).json(claims);
}

export async function tellExpressAddress(app: Express, credentials: readonly Credential[]): Promise<void> {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  process.send?.({ address: `http://127.0.0.1:${port}`, credentials });
}
