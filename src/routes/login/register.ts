import { z } from 'zod';
import { overloaded, tooManyRequests } from '../../attempts/problems.ts';
import { Password } from '../../factors/passwords/password.ts';
import { weakPassword } from '../../factors/passwords/problems.ts';
import type { House } from '../../house.ts';
import { clientAddress } from '../../http/client-address.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import { senderOf } from '../../http/sender.ts';
import type { App } from '../../http/zod.ts';
import { unavailable } from '../../problems/general.ts';
import { NewEmail } from '../../users/email.ts';
import { refuseTaken } from '../../users/find-by-email.ts';
import { emailTaken } from '../../users/problems.ts';
import { answerHeaders, attemptOf, refuseWhenFull } from '../attempts.ts';
import { credentialsExample, userExample } from '../examples.ts';
import { receiveNewPassword, refuseForm } from '../new-password.ts';
import { toUserResponse, UserResponse } from '../user-response.ts';
import { registrationClosed } from './problems.ts';

const schema = {
  operationId: 'register',
  summary: 'Create a user',
  description:
    'The email is stored in one spelling: in lower case, its domain in the letters of its script, so that ' +
    '`ada@xn--mnchen-3ya.de` is `ada@münchen.de`. Where registration is closed, whatever is sent is refused alike.',
  tags: ['Login'],
  body: z.strictObject({ email: NewEmail, password: Password }).meta({ id: 'Registration' }),
  bodyExamples: { ada: credentialsExample },
  response: { 201: UserResponse },
  documents: { 201: { description: 'The new user.', example: { ...userExample, roles: [] } } },
  answerHeaders,
  problems: [weakPassword, registrationClosed, emailTaken, tooManyRequests, overloaded, unavailable],
} satisfies RouteSchema;

export function registerRoute(app: App, { config, directory, passwords, attempts, events }: House): void {
  // A closed registration is refused before the body is read: the answer tells nothing of what was sent.
  const onRequest = config.accounts.registration === 'open' ? refuseWhenFull(attempts) : refuseRegistration;
  app.post('/v1/register', { schema, onRequest, attachValidation: true }, async (request, reply) => {
    const password = receiveNewPassword(request, 'password');
    const [email, ...former] = request.validationError ? [''] : request.body.email; // the body of a refused form may be anything
    const attempt = attemptOf(request, reply, `register ${email || clientAddress(request)}`);
    const passwordHash = await attempts.run(attempt, async ({ inTurn, judged }) => {
      const objection = await passwords.objection(password, email);
      judged(() => refuseForm(request, 'password', objection));
      return inTurn(() => passwords.hash(password)); // never taken back: each registration costs a hash
    });
    await refuseTaken(directory, [email, ...former]);
    const user = await directory.add({ email, passwordHash, roles: [] });
    events.tell('user.registered', { sub: user.id, ...senderOf(request) });
    return reply.code(201).send(toUserResponse(user));
  });
}

function refuseRegistration(): never {
  throw registrationClosed();
}
