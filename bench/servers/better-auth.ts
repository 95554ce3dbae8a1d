/** Better Auth with its sessions in SQLite; with `COOKIE_CACHE` set it believes its signed cookie in between. */
import { DatabaseSync } from 'node:sqlite';
import { type BetterAuthOptions, betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { fromNodeHeaders } from 'better-auth/node';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { PUBLIC_URL } from '../issuer.ts';
import { cookieHeader, createPeer, readPeerEnv, tellAddress, verifyRoute } from './peer.ts';

const options = {
  baseURL: PUBLIC_URL,
  secret: 'a secret of at least thirty-two characters',
  database: new DatabaseSync(':memory:'),
  // Signing up is not what is measured.
  emailAndPassword: {
    enabled: true,
    password: { hash: async (password) => password, verify: async () => true },
  },
  session: { cookieCache: { enabled: process.env.COOKIE_CACHE !== undefined, maxAge: 3600 } },
  telemetry: { enabled: false },
} satisfies BetterAuthOptions;
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);

/** What idcard answers and Better Auth does not keep, by its user id. */
const claimsByUser = new Map<string, AccessClaims>();
const app = createPeer();
app.decorateRequest('claims');
verifyRoute(app, (request) => request.claims, [
  async (request, reply) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
    const claims = claimsByUser.get(session?.user.id ?? '');
    if (claims) request.claims = claims;
    else reply.code(401).send();
  },
]);

const credentials = [];
for (const { claims } of readPeerEnv().clients) {
  const body = { name: 'Ada', email: `${claims.sub}@example.com`, password: 'violet otters play chess' };
  const { headers, response } = await auth.api.signUpEmail({ body, returnHeaders: true });
  claimsByUser.set(response.user.id, claims);
  credentials.push(cookieHeader(headers.getSetCookie()));
}
await tellAddress(app, credentials);
