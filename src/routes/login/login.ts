import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { KnownPassword, matchingSpelling } from '../../factors/passwords/password.ts';
import { clientAddress } from '../../http/client-address.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import {
  cookiesNeedHttps,
  crossSite,
  dpopNonceRequired,
  invalidCredentials,
  invalidDpopProof,
  overloaded,
  tooManyRequests,
  unavailable,
} from '../../problems/catalogue.ts';
import { Problem } from '../../problems/problem.ts';
import type { Login } from '../../proofs/tokens/tokens.ts';
import { KnownEmail } from '../../users/email.ts';
import { findByEmail } from '../../users/find-by-email.ts';
import { type User, verifiedEmail } from '../../users/user.ts';
import { answerHeaders, attemptOf } from '../attempt.ts';
import { beforeAttempt } from '../before-attempt.ts';
import type { RouteDependencies } from '../dependencies.ts';
import { credentialsExample, deviceTokenExample, tokenExample } from '../examples.ts';
import { reportUnusableHash } from '../unusable-hash.ts';
import { receiveBinding } from './binding.ts';
import { tokenResponses } from './token-response.ts';

const schema = {
  operationId: 'login',
  summary: 'Log in',
  description:
    'Answers with tokens in the body (transport "bearer", the default) or in cookies ("cookie"), and with a device token: ' +
    'sent with the next login by the same email, it keeps the guesses of strangers from slowing that down.',
  tags: ['Login'],
  security: [],
  body: z
    .strictObject({
      email: KnownEmail,
      password: KnownPassword,
      transport: z
        .enum(['bearer', 'cookie'])
        .default('bearer')
        .meta({ description: 'Where the tokens go; "bearer" when absent.' }),
      device_token: z
        .string()
        .optional()
        .meta({
          description:
            'What the last login by this email gave as device_token; with transport "cookie" its cookie instead. ' +
            'One that is not good counts as none.',
        }),
    })
    .meta({ id: 'Login' }),
  bodyExamples: {
    bearer: credentialsExample,
    cookie: { ...credentialsExample, transport: 'cookie' },
    device: { ...credentialsExample, device_token: deviceTokenExample },
  },
  ...tokenResponses,
  documents: {
    200: {
      ...tokenResponses.documents[200],
      example: { ...tokenExample, device_token: deviceTokenExample },
    },
    204: {
      ...tokenResponses.documents[204],
      headers: {
        'Set-Cookie': 'Three cookies: HttpOnly, Secure, SameSite=Lax, Path=/. The third is `__Host-device`.',
      },
    },
  },
  answerHeaders,
  problems: [
    invalidCredentials,
    invalidDpopProof.login,
    dpopNonceRequired.login,
    cookiesNeedHttps,
    crossSite,
    tooManyRequests,
    overloaded,
    unavailable,
  ],
} satisfies RouteSchema;

type Dependencies = Pick<
  RouteDependencies,
  | 'config'
  | 'directory'
  | 'hasher'
  | 'attempts'
  | 'tokens'
  | 'dpop'
  | 'deviceTokens'
  | 'transports'
  | 'issuingClock'
  | 'customClaims'
>;

export function loginRoute(app: App, dependencies: Dependencies): void {
  const { config, directory, hasher, attempts, tokens, transports, deviceTokens, issuingClock } =
    dependencies;

  const onRequest = beforeAttempt(attempts);
  app.post('/v1/login', { schema, onRequest }, async (request, reply) => {
    const { email: spellings, password: passwords, transport, device_token } = request.body;
    const [email] = spellings; // of whichever row: one mailbox has one count
    if (transport === 'cookie') transports.refuseUnkeptCookies(request);
    const device = deviceTokens.deviceOf(
      transports.receiveDeviceToken(request, transport, device_token),
      email,
    );
    // Strangers' guesses do not keep out the owner's device. What counts is the email that was sent, whoever has it.
    const attempt = attemptOf(request, reply, email, device);
    const { loggedIn, jkt, issuedAtSeconds } = await attempts.run(attempt, async ({ inTurn, succeeded }) => {
      const jkt = receiveBinding(request, reply, dependencies);
      // Before its turn: a directory that does not answer holds up no other login. What the row says may change while it
      // waits, and then the tokens have a version that is void: hence their life counts from before the look-up.
      const issuedAtSeconds = issuingClock();
      const user = await findByEmail(directory, spellings);
      return inTurn(async () => {
        // Whoever is banned has no password here, so that the right one takes as long as a wrong one.
        const storedHash = user?.status === 'active' ? user.passwordHash : undefined;
        const password = await matchingSpelling(hasher, storedHash, passwords);
        if (!user || password === undefined) {
          reportUnusableHash(request.log, hasher, user);
          logFailure(request, user);
          throw invalidCredentials({ reason: () => explainFailure(user) });
        }
        succeeded();
        await rehash(user, passwords[0], password !== passwords[0]);
        return { loggedIn: user, jkt, issuedAtSeconds };
      });
    });
    request.log.info({
      event: 'login.succeeded',
      sub: loggedIn.id,
      address: clientAddress(request),
      transport,
    });
    return transports.send(reply, transport, {
      ...tokens.issue(await newLogin(loggedIn, issuedAtSeconds, jkt, dependencies)),
      device: { token: deviceTokens.issue(email), expiresInSeconds: config.loginMaxAgeSeconds },
    });
  });

  /** The one moment at which the password is at hand. It may be changed meanwhile: then the new one stands. */
  async function rehash(
    { id, passwordHash }: User,
    password: string,
    hasFormerSpelling: boolean,
  ): Promise<void> {
    if (!passwordHash || !(hasFormerSpelling || hasher.needsRehash(passwordHash))) return;
    const stronger = { passwordHash: await hasher.hash(password) };
    await directory.update(id, stronger, { passwordHash }).catch((error: unknown) => {
      // A directory that can be read and not changed, such as one on a full disk: the next login tries again.
      if (!(error instanceof Problem && error.kind === unavailable.kind)) throw error;
    });
  }
}

/**
 * A login by password.
 * @param issuedAtSeconds when the look-up of the user began
 */
export async function newLogin(
  user: User,
  issuedAtSeconds: number,
  jkt: string | undefined,
  { customClaims }: Pick<RouteDependencies, 'customClaims'>,
): Promise<Login> {
  return {
    sub: user.id,
    issuedAtSeconds,
    sid: randomUUID(),
    authTimeSeconds: issuedAtSeconds,
    amr: ['pwd'],
    roles: user.roles,
    email: verifiedEmail(user),
    ver: user.tokenVersion,
    jkt,
    customClaims: await customClaims?.(user),
  };
}

function explainFailure(user: User | undefined): string {
  if (!user) return 'there is no user with this email';
  if (user.status !== 'active') return `the user is ${user.status}`;
  return user.passwordHash ? 'wrong password' : 'the user has no password';
}

/** The log may know which user was meant; an email that is nobody's is not kept, since it may be a password. */
function logFailure(request: FastifyRequest, user: User | undefined): void {
  request.log.warn({ event: 'login.failed', sub: user?.id, address: clientAddress(request) });
}
