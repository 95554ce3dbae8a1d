import { z } from 'zod';
import { Password } from '../../factors/passwords/password.ts';
import { clientAddress } from '../../http/client-address.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import {
  emailTaken,
  overloaded,
  registrationClosed,
  tooManyRequests,
  unavailable,
  weakPassword,
} from '../../problems/catalogue.ts';
import { NewEmail } from '../../users/email.ts';
import { refuseTaken } from '../../users/find-by-email.ts';
import { receiveNewPassword, refuseForm } from '../account/new-password.ts';
import { answerHeaders, attemptOf } from '../attempt.ts';
import { beforeAttempt } from '../before-attempt.ts';
import type { RouteDependencies } from '../dependencies.ts';
import { credentialsExample, userExample } from '../examples.ts';
import { toUserResponse, UserResponse } from '../user-response.ts';

const schema = {
  operationId: 'register',
  summary: 'Create a user',
  description:
    'The email is stored in one spelling: in lower case, its domain in the letters of its script, so that ' +
    '`ada@xn--mnchen-3ya.de` is `ada@münchen.de`. Where registration is closed, whatever is sent is refused alike.',
  tags: ['Login'],
  security: [],
  body: z.strictObject({ email: NewEmail, password: Password }).meta({ id: 'Registration' }),
  bodyExamples: { ada: credentialsExample },
  response: { 201: UserResponse },
  documents: { 201: { description: 'The new user.', example: { ...userExample, roles: [] } } },
  answerHeaders,
  problems: [weakPassword, registrationClosed, emailTaken, tooManyRequests, overloaded, unavailable],
} satisfies RouteSchema;

type Dependencies = Pick<
  RouteDependencies,
  'config' | 'directory' | 'hasher' | 'passwordPolicy' | 'attempts'
>;

export function registerRoute(app: App, dependencies: Dependencies): void {
  const { config, directory, hasher, passwordPolicy, attempts } = dependencies;
  // Before the body is read: whatever is sent, the answer tells nothing of it.
  const onRequest = config.registration === 'open' ? beforeAttempt(attempts) : refuseRegistration;
  app.post('/v1/register', { schema, onRequest, attachValidation: true }, async (request, reply) => {
    const password = receiveNewPassword(request, 'password');
    const [email, ...former] = request.validationError ? [''] : request.body.email; // which may be anything else then
    const attempt = attemptOf(request, reply, `register ${email || clientAddress(request)}`);
    const passwordHash = await attempts.run(attempt, async ({ inTurn, judged }) => {
      const objection = await passwordPolicy.objection(password, email);
      judged(() => refuseForm(request, 'password', objection));
      return inTurn(() => hasher.hash(password)); // stays counted, as each costs a hash
    });
    await refuseTaken(directory, [email, ...former]);
    const user = await directory.add({ email, passwordHash, roles: [] });
    request.log.info({ event: 'user.registered', sub: user.id, address: clientAddress(request) });
    return reply.code(201).send(toUserResponse(user));
  });
}

function refuseRegistration(): never {
  throw registrationClosed();
}
