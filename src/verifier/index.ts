import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { createAuthentication } from '../authentication.ts';
import '../authentication.ts'; // for its declaration of `request.claims`
import { Problem } from '../problems/problem.ts';
import { logRefusal } from '../problems/refusal-log.ts';
import { replyWithProblem } from '../problems/reply.ts';
import { createDpop, type Dpop } from '../proofs/dpop/dpop.ts';
import { createTransports } from '../transports/index.ts';
import { createIssuer, type Issuer } from './issuer.ts';
import { KeyNotFetched } from './issuer-keys.ts';
import { type IdcardOptions, type ReadOptions, readOptions } from './options.ts';
import { holdLogin } from './request-login.ts';
import { createRequirement, type Requirement } from './requirement.ts';

export type { AccessClaims } from '../proofs/tokens/claims.ts';
export type { IdcardOptions, Requirement };

/** A hook for `onRequest` or `preHandler`. */
export type LoginHook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook that refuses requests without a login that meets the requirement. After it, a request has its `claims`. */
    requireLogin(requirement?: Requirement): LoginHook;
    /**
     * What this service knows about the issuer. Without keys every token is 503. While revocations are stale, a revoked token
     * works until it expires.
     */
    idcard: Pick<Issuer, 'state'>;
  }
}

/** The advice for a refused page of the service itself: of a handshake a browser tells nothing but the origin. */
const OWN_ORIGIN_UNKNOWN =
  'Requests with cookies must come from a page of this service or of an allowed origin. This service does not know its ' +
  'own: set the option publicUrl of idcard-verifier to its address, and allowedOrigins to those of other pages.';

/** Verifies the tokens of an idcard server, with the server's own code. */
export const idcard = fp<IdcardOptions>(
  async (app, given) => {
    const options = readOptions(given);
    const { publicUrl, allowedOrigins, requireDpop, clock } = options;
    const closing = new AbortController();
    const issuer = createIssuer(options, app.log, closing.signal);
    const ownOrigins = publicUrl === undefined ? [] : [new URL(publicUrl).origin];
    const detail = publicUrl === undefined ? OWN_ORIGIN_UNKNOWN : undefined;
    const transports = createTransports(options.issuer, [...ownOrigins, ...allowedOrigins], { detail });
    const dpop = createProofCheck(options);
    const authenticate = createAuthentication({ requireDpop, tokens: issuer, transports, dpop });
    const hasLogin = holdLogin(app);

    app.decorate('requireLogin', (requirement: Requirement = {}): LoginHook => {
      const check = createRequirement(requirement, clock);
      return function requireLogin(request, reply, done) {
        try {
          // Once for a request, even where two hooks require a login: a proof works only once.
          if (!hasLogin(request)) authenticate(request, reply);
          check(request.claims);
        } catch (error) {
          if (error instanceof KeyNotFetched)
            issuer.refreshKeys().then(() => requireLogin(request, reply, done));
          else if (error instanceof Problem) refuse(error, request, reply);
          else done(error as Error);
          return;
        }
        done();
      };
    });
    app.decorate('idcard', { state: issuer.state });

    /** Answers here, since the error handler belongs to the service. */
    function refuse(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
      logRefusal(problem, request.log, { event: 'idcard.refused' });
      reply.header('cache-control', 'no-store');
      replyWithProblem(problem, request, reply, { offersDpop: dpop !== undefined });
    }

    // A service starts even when the issuer is away. Then routes that require a login are 503.
    app.addHook('onReady', async () => {
      await issuer.ask();
      repeat(issuer.ask, options.revocationPollSeconds, closing.signal);
    });
    app.addHook('onClose', async () => closing.abort());
  },
  { name: 'idcard', fastify: '5.x' },
);

/** Undefined without `publicUrl`: a proof is for an address, and this service does not know its own. */
function createProofCheck({ publicUrl, dpopNonceSecret, clock }: ReadOptions): Dpop | undefined {
  if (publicUrl === undefined) return undefined;
  const material =
    dpopNonceSecret === undefined ? randomBytes(32) : Buffer.from(dpopNonceSecret, 'base64url');
  const key = { kid: 'nonces', material };
  const keySet = { keys: [key], signingKey: () => key, verificationKey: () => key };
  return createDpop({ publicUrl, keySet, clock });
}

/** Repeats a task, at other moments than other services. The timer keeps no process alive. */
function repeat(task: () => Promise<void>, seconds: number, closing: AbortSignal): void {
  let timer: NodeJS.Timeout;
  const schedule = () => {
    if (closing.aborted) return;
    timer = setTimeout(() => task().then(schedule), seconds * 1000 * (0.9 + Math.random() * 0.1)).unref();
  };
  schedule();
  closing.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
