import { z } from 'zod';
import { overloaded, tooManyRequests } from '../../attempts/problems.ts';
import { KnownPassword, Password } from '../../factors/passwords/password.ts';
import { PASSWORD_AMR } from '../../factors/passwords/passwords.ts';
import type { Objection } from '../../factors/passwords/policy.ts';
import { weakPassword, wrongPassword } from '../../factors/passwords/problems.ts';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import { senderOf } from '../../http/sender.ts';
import type { App } from '../../http/zod.ts';
import { invalidToken, unavailable } from '../../problems/general.ts';
import { cookiesNeedHttps, crossSite } from '../../transports/problems.ts';
import { answerHeaders, attemptOf } from '../attempts.ts';
import { findCurrentUser } from '../current-user.ts';
import { credentialsExample } from '../examples.ts';
import { receiveNewPassword, refuseForm } from '../new-password.ts';
import { tokenResponses } from '../token-responses.ts';
import { tellUnusableHash } from '../unusable-hash.ts';

const schema = {
  operationId: 'changePassword',
  summary: 'Change the password',
  description: 'Raises the token version, so that every earlier token is void, and answers with a new pair.',
  tags: ['Account'],
  body: z
    .strictObject({ current_password: KnownPassword, new_password: Password })
    .meta({ id: 'PasswordChange' }),
  bodyExamples: {
    ada: { current_password: credentialsExample.password, new_password: 'nine lazy clouds over Turin' },
  },
  ...tokenResponses,
  answerHeaders,
  problems: [
    weakPassword,
    wrongPassword,
    cookiesNeedHttps,
    crossSite,
    tooManyRequests,
    overloaded,
    unavailable,
  ],
} satisfies RouteSchema;

const SAME: Objection = { code: 'same-as-current', detail: 'Must differ from the current password' };

export function changePasswordRoute(app: App, house: House): void {
  const { logins, directory, passwords, attempts, events } = house;

  app.put('/v1/me/password', { schema, attachValidation: true }, async (request, reply) => {
    const new_password = receiveNewPassword(request, 'new_password');
    const { current_password } = request.body;
    // In a refused form, the current password may be of any type.
    const current = request.validationError
      ? KnownPassword.safeParse(current_password).data
      : current_password;
    const login = logins.beginAnew(request, reply);
    // Counted by the user and not by the email: attempts of strangers at the login must not keep the owner from this.
    const attempt = attemptOf(request, reply, `password ${request.claims.sub}`);
    const { user, passwordHash } = await attempts.run(attempt, async ({ inTurn, judged, succeeded }) => {
      const user = await findCurrentUser(directory, request.claims);
      const objection =
        new_password === current?.[0] ? SAME : await passwords.objection(new_password, user.email);
      judged(() => refuseForm(request, 'new_password', objection));
      return inTurn(async () => {
        if ((await passwords.prove(user.passwordHash, current_password)) === undefined) {
          tellUnusableHash(house, request, user);
          events.tell('password.change-failed', { sub: user.id, ...senderOf(request) });
          throw wrongPassword();
        }
        succeeded();
        return { user, passwordHash: await passwords.hash(new_password) };
      });
    });
    const { tokenVersion } = user;
    const readAtSeconds = logins.now(); // before the update makes the token version of the new tokens
    const changed = await directory.updateAndVoidTokens(user.id, { passwordHash }, { tokenVersion });
    if (!changed) throw invalidToken({ detail: 'The token was revoked meanwhile; log in again.' });
    events.tell('password.changed', { sub: user.id, ...senderOf(request) });
    return login.finish({ user: changed, readAtSeconds, amr: PASSWORD_AMR });
  });
}
