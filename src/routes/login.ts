import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RouteSchema } from '../http/route-schema.ts';
import type { App } from '../http/zod.ts';
import { Password } from '../passwords/password.ts';
import {
  crossSite,
  dpopNonceRequired,
  invalidCredentials,
  invalidDpopProof,
  overloaded,
  tooManyRequests,
  unavailable,
} from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import type { Login } from '../tokens/tokens.ts';
import { Email, type User } from '../users/user.ts';
import { answerHeaders, attemptOf } from './attempt.ts';
import { beforeAttempt } from './before-attempt.ts';
import { receiveBinding } from './binding.ts';
import type { RouteDependencies } from './dependencies.ts';
import { credentialsExample } from './examples.ts';
import { tokenResponses } from './token-response.ts';
import { reportUnusableHash } from './unusable-hash.ts';

const schema = {
  operationId: 'login',
  summary: 'Log in',
  description: 'Answers with tokens in the body (transport "bearer", the default) or in cookies ("cookie").',
  tags: ['Login'],
  security: [],
  body: z
    .strictObject({
      email: Email,
      password: Password,
      transport: z
        .enum(['bearer', 'cookie'])
        .default('bearer')
        .meta({ description: 'Where the tokens go; "bearer" when absent.' }),
    })
    .meta({ id: 'Login' }),
  bodyExamples: {
    bearer: credentialsExample,
    cookie: { ...credentialsExample, transport: 'cookie' },
  },
  ...tokenResponses,
  answerHeaders,
  problems: [
    invalidCredentials,
    invalidDpopProof.login,
    dpopNonceRequired.login,
    crossSite,
    tooManyRequests,
    overloaded,
    unavailable,
  ],
} satisfies RouteSchema;

type Dependencies = Pick<
  RouteDependencies,
  'config' | 'directory' | 'hasher' | 'attempts' | 'tokens' | 'dpop' | 'transports' | 'clock' | 'customClaims'
>;

export function loginRoute(app: App, dependencies: Dependencies): void {
  const { directory, hasher, attempts, tokens, transports } = dependencies;

  const onRequest = beforeAttempt(attempts);
  app.post('/v1/login', { schema, onRequest }, async (request, reply) => {
    const { email, password, transport } = request.body;
    if (transport === 'cookie') transports.refuseCrossSite(request);
    const jkt = receiveBinding(request, reply, dependencies);
    // Before its turn: a directory that does not answer holds up no other login. What the row says may change while it
    // waits, and then the tokens have a version that is void.
    const user = await directory.findByEmail(email);

    const attempt = attemptOf(request, reply, email);
    const loggedIn = await attempts.run(attempt, async (succeeded) => {
      // Whoever is banned has no password here, so that the right one takes as long as a wrong one.
      const storedHash = user?.status === 'active' ? user.passwordHash : undefined;
      const isPassword = await hasher.verify(storedHash, password);
      if (!user || !isPassword) {
        reportUnusableHash(request.log, hasher, user);
        logFailure(request, user);
        throw invalidCredentials();
      }
      await succeeded();
      await rehash(user, password);
      return user;
    });
    request.log.info({ event: 'login.succeeded', sub: loggedIn.id, address: request.ip, transport });
    return transports.send(reply, transport, tokens.issue(await newLogin(loggedIn, jkt, dependencies)));
  });

  /** The one moment at which the password is at hand. It may be changed meanwhile: then the new one stands. */
  async function rehash({ id, passwordHash }: User, password: string): Promise<void> {
    if (!passwordHash || !hasher.needsRehash(passwordHash)) return;
    const stronger = { passwordHash: await hasher.hash(password) };
    await directory.update(id, stronger, { passwordHash }).catch((error: unknown) => {
      // A directory that can be read and not changed, such as one on a full disk: the next login tries again.
      if (!(error instanceof Problem && error.kind === unavailable.kind)) throw error;
    });
  }
}

/** A login by password, now. */
export async function newLogin(
  user: User,
  jkt: string | undefined,
  { clock, customClaims }: Pick<RouteDependencies, 'clock' | 'customClaims'>,
): Promise<Login> {
  return {
    sub: user.id,
    sid: randomUUID(),
    authTimeSeconds: clock(),
    amr: ['pwd'],
    roles: user.roles,
    ver: user.tokenVersion,
    jkt,
    customClaims: await customClaims?.(user),
  };
}

/** The log may know which user was meant; an email that is nobody's is not kept, since it may be a password. */
function logFailure(request: FastifyRequest, user: User | undefined): void {
  request.log.warn({ event: 'login.failed', sub: user?.id, address: request.ip });
}
