import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { createAuthentication } from '../authentication.ts';
import { Problem } from '../problems/problem.ts';
import { replyWithProblem } from '../problems/reply.ts';
import { withoutStack } from '../problems/without-stack.ts';
import { createDpop, type Dpop } from '../tokens/dpop.ts';
import type { NonceKeys } from '../tokens/dpop-nonces.ts';
import { createAccessVerifier, createOpener } from '../tokens/verification.ts';
import { createVerifiedTokens } from '../tokens/verified-tokens.ts';
import { createTransports } from '../transports/index.ts';
import { createFetchDocument } from './document.ts';
import { createIssuerKeys, type IssuerKeys, KeyNotFetched } from './issuer-keys.ts';
import { createIssuerRevocations, type IssuerRevocations } from './issuer-revocations.ts';
import { type IdcardOptions, type ReadOptions, readOptions } from './options.ts';
import type { PublicKey } from './public-keys.ts';
import { createReachability } from './reachability.ts';
import { holdLogin } from './request-login.ts';
import { createRequirement, type Requirement } from './requirement.ts';

export type { AccessClaims } from '../tokens/claims.ts';
export type { IdcardOptions, Requirement };

/** A hook for `onRequest` or `preHandler`. */
export type LoginHook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook that lets in whoever is logged in and meets the requirement; then the request has its `claims`. */
    requireLogin(requirement?: Requirement): LoginHook;
    idcard: {
      /**
       * What is known of the issuer. Without keys every token is 503; while revocations are stale, a revoked token works
       * until it expires.
       */
      state(): { keys: ReturnType<IssuerKeys['state']>; revocations: ReturnType<IssuerRevocations['state']> };
    };
  }
}

/** How many verified tokens are remembered; at about 1.5 kB each. */
const VERIFIED_TOKENS = 100_000;

/** Verifies the tokens of an idcard server, with the server's own code. */
export const idcard = fp<IdcardOptions>(
  async (app, given) => {
    const options = readOptions(given);
    const { issuer, audience, publicUrl, clock, clockToleranceSeconds, requireDpop } = options;
    const closing = new AbortController();
    const fetchDocument = createFetchDocument(options.fetch, issuer, closing.signal);
    let verifiedTokens = createVerifiedTokens(VERIFIED_TOKENS);
    const forgetTokens = () => {
      verifiedTokens = createVerifiedTokens(VERIFIED_TOKENS);
    };
    const common = { ...options, fetchDocument };
    const watch = (name: string) => createReachability(name, app.log, closing.signal);
    const keys = createIssuerKeys({ ...common, reachability: watch('keys'), onRemoved: forgetTokens });
    const jwt = {
      verifySignature: (key: PublicKey, token: string) => withoutStack(() => key.verify(token)),
    };
    const open = createOpener({ keySet: keys, jwt, clock, clockToleranceSeconds });
    const revocations = createIssuerRevocations({
      ...common,
      reachability: watch('revocations'),
      open,
      keys,
    });
    const verifyAccess = createAccessVerifier({
      open,
      issuer,
      audience,
      clock,
      verifiedTokens: {
        get: (token, now) => verifiedTokens.get(token, now),
        add: (...entry) => verifiedTokens.add(...entry),
      },
      revocations,
    });
    const ownOrigins = publicUrl === undefined ? [] : [new URL(publicUrl).origin];
    const dpop = createProofCheck(options);
    const authenticate = createAuthentication({
      requireDpop,
      tokens: { verifyAccess },
      transports: createTransports([...ownOrigins, ...options.allowedOrigins]),
      dpop,
    });

    const hasLogin = holdLogin(app);
    app.decorate('requireLogin', (requirement: Requirement = {}): LoginHook => {
      const check = createRequirement(requirement, clock);
      return function requireLogin(request, reply, done) {
        try {
          // Once, wherever else in the way of the request it is required: a proof cannot be shown twice.
          if (!hasLogin(request)) authenticate(request, reply);
          check(request.claims);
        } catch (error) {
          if (error instanceof KeyNotFetched) keys.refresh().then(() => requireLogin(request, reply, done));
          else if (error instanceof Problem) refuse(error, request, reply);
          else done(error as Error);
          return;
        }
        done();
      };
    });
    app.decorate('idcard', { state: () => ({ keys: keys.state(), revocations: revocations.state() }) });

    /** Here and not in an error handler, which is the service's own. */
    function refuse(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
      reply.header('cache-control', 'no-store');
      replyWithProblem(problem, request, reply, { offersDpop: dpop !== undefined });
    }

    async function askIssuer(): Promise<void> {
      if (keys.isDue()) await keys.refresh();
      if (keys.state() !== 'missing') await revocations.poll();
    }
    // A service starts without the issuer too, and is 503 where a token would have to be verified.
    app.addHook('onReady', async () => {
      await askIssuer();
      repeat(askIssuer, options.revocationPollSeconds, closing.signal);
    });
    app.addHook('onClose', async () => closing.abort());
  },
  { name: 'idcard', fastify: '5.x' },
);

/** Proofs are checked where it is known which address they must be for. */
function createProofCheck({ publicUrl, dpopNonceSecret, clock }: ReadOptions): Dpop | undefined {
  if (publicUrl === undefined) return undefined;
  const material =
    dpopNonceSecret === undefined ? randomBytes(32) : Buffer.from(dpopNonceSecret, 'base64url');
  const key = { kid: 'nonces', material };
  const keySet: NonceKeys = { keys: [key], signingKey: () => key, verificationKey: () => key };
  return createDpop({ config: { publicUrl }, keySet, clock });
}

/** Does it again and again, not at the same moments as other services, and keeps no process alive. */
function repeat(task: () => Promise<void>, seconds: number, closing: AbortSignal): void {
  let timer: NodeJS.Timeout;
  const schedule = () => {
    if (closing.aborted) return;
    timer = setTimeout(() => task().then(schedule), seconds * 1000 * (0.9 + Math.random() * 0.1)).unref();
  };
  schedule();
  closing.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
