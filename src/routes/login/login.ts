import { z } from 'zod';
import { overloaded, tooManyRequests } from '../../attempts/problems.ts';
import { KnownPassword } from '../../factors/passwords/password.ts';
import { PASSWORD_AMR } from '../../factors/passwords/passwords.ts';
import { invalidCredentials } from '../../factors/passwords/problems.ts';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import { senderOf } from '../../http/sender.ts';
import type { App } from '../../http/zod.ts';
import { unavailable } from '../../problems/general.ts';
import { dpopNonceRequired, invalidDpopProof } from '../../proofs/dpop/problems.ts';
import { cookiesNeedHttps, crossSite } from '../../transports/problems.ts';
import { KnownEmail } from '../../users/email.ts';
import { findByEmail } from '../../users/find-by-email.ts';
import type { User } from '../../users/user.ts';
import { answerHeaders, attemptOf, refuseWhenFull } from '../attempts.ts';
import { credentialsExample, deviceTokenExample, tokenExample } from '../examples.ts';
import { tokenResponses } from '../token-responses.ts';
import { tellUnusableHash } from '../unusable-hash.ts';

const schema = {
  operationId: 'login',
  summary: 'Log in',
  description:
    'Answers with tokens in the body (transport "bearer", the default) or in cookies ("cookie"), and with a device token: ' +
    'sent with the next login by the same email, it keeps the guesses of strangers from slowing that down.',
  tags: ['Login'],
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

export function loginRoute(app: App, house: House): void {
  const { logins, directory, passwords, attempts, events } = house;

  const onRequest = refuseWhenFull(attempts);
  app.post('/v1/login', { schema, onRequest }, async (request, reply) => {
    const { email: spellings, password: typed, transport, device_token } = request.body;
    const [email] = spellings; // whichever spelling the directory has: one mailbox has one count
    const login = logins.begin(request, reply, transport);
    // Attempts of strangers do not keep out the owner's device. The count is by the email that was sent, whether anybody
    // has it or not.
    const attempt = attemptOf(request, reply, email, login.deviceOf(email, device_token));
    const evidence = await attempts.run(attempt, async ({ inTurn, succeeded }) => {
      login.bind();
      // The look-up comes before the turn: a directory that does not answer holds up no other login. While the login
      // waits, the token version may be raised, and its tokens are void then: hence their life counts from before the
      // look-up.
      const readAtSeconds = logins.now();
      const user = await findByEmail(directory, spellings);
      return inTurn(async () => {
        // A banned user counts as one without a password, so that the right password takes as long as a wrong one.
        const storedHash = user?.status === 'active' ? user.passwordHash : undefined;
        const spelling = await passwords.prove(storedHash, typed);
        if (!user || !storedHash || spelling === undefined) {
          tellUnusableHash(house, request, user);
          // The log may name the user. It never has an email that is nobody's, since that may be a password.
          events.tell('login.failed', { sub: user?.id, ...senderOf(request) });
          throw invalidCredentials({ reason: () => explainFailure(user) });
        }
        succeeded();
        if (passwords.isToBeHashed(storedHash, spelling, typed)) await rehash(user.id, storedHash, typed[0]);
        return { user, readAtSeconds, amr: PASSWORD_AMR };
      });
    });
    return login.finish(evidence, email);
  });

  /** Only a login has the password at hand. If the password is changed meanwhile, the new one stays. */
  async function rehash(id: string, passwordHash: string, password: string): Promise<void> {
    const stronger = { passwordHash: await passwords.hash(password) };
    await directory.update(id, stronger, { passwordHash }).catch((error: unknown) => {
      // The directory can be read and not changed, such as one on a full disk: the next login tries again.
      if (!unavailable.is(error)) throw error;
    });
  }
}

function explainFailure(user: User | undefined): string {
  if (!user) return 'there is no user with this email';
  if (user.status !== 'active') return `the user is ${user.status}`;
  return user.passwordHash ? 'wrong password' : 'the user has no password';
}
