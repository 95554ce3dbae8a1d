import { z } from 'zod';
import { KnownPassword, matchingSpelling, Password } from '../../factors/passwords/password.ts';
import type { Objection } from '../../factors/passwords/policy.ts';
import { clientAddress } from '../../http/client-address.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import {
  cookiesNeedHttps,
  crossSite,
  invalidToken,
  overloaded,
  tooManyRequests,
  unavailable,
  weakPassword,
  wrongPassword,
} from '../../problems/catalogue.ts';
import { answerHeaders, attemptOf } from '../attempt.ts';
import { findCurrentUser } from '../current-user.ts';
import type { RouteDependencies } from '../dependencies.ts';
import { credentialsExample } from '../examples.ts';
import { newLogin } from '../login/login.ts';
import { tokenResponses } from '../login/token-response.ts';
import { reportUnusableHash } from '../unusable-hash.ts';
import { receiveNewPassword, refuseForm } from './new-password.ts';

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

type Dependencies = Pick<
  RouteDependencies,
  | 'directory'
  | 'hasher'
  | 'passwordPolicy'
  | 'attempts'
  | 'tokens'
  | 'transports'
  | 'issuingClock'
  | 'customClaims'
>;

export function changePasswordRoute(app: App, dependencies: Dependencies): void {
  const { directory, hasher, passwordPolicy, attempts, tokens, transports, issuingClock } = dependencies;

  app.put('/v1/me/password', { schema, attachValidation: true }, async (request, reply) => {
    const new_password = receiveNewPassword(request, 'new_password');
    const { current_password } = request.body;
    // As it was sent where the form is refused, of whatever type.
    const current = request.validationError
      ? KnownPassword.safeParse(current_password).data
      : current_password;
    if (request.transport === 'cookie') transports.refuseUnkeptCookies(request);
    // Counted by the user and not by the email: a stranger's guesses at the login do not keep the owner from this.
    const attempt = attemptOf(request, reply, `password ${request.claims.sub}`);
    const { user, passwordHash } = await attempts.run(attempt, async ({ inTurn, judged, succeeded }) => {
      const user = await findCurrentUser(directory, request.claims);
      const objection =
        new_password === current?.[0] ? SAME : await passwordPolicy.objection(new_password, user.email);
      judged(() => refuseForm(request, 'new_password', objection));
      return inTurn(async () => {
        if ((await matchingSpelling(hasher, user.passwordHash, current_password)) === undefined) {
          reportUnusableHash(request.log, hasher, user);
          request.log.warn({
            event: 'password.change-failed',
            sub: user.id,
            address: clientAddress(request),
          });
          throw wrongPassword();
        }
        succeeded();
        return { user, passwordHash: await hasher.hash(new_password) };
      });
    });
    const { tokenVersion } = user;
    const issuedAtSeconds = issuingClock(); // before the version is there that the tokens have
    const changed = await directory.updateAndVoidTokens(user.id, { passwordHash }, { tokenVersion });
    if (!changed) throw invalidToken({ detail: 'The token was revoked meanwhile; log in again.' });
    request.log.info({ event: 'password.changed', sub: user.id, address: clientAddress(request) });
    const login = await newLogin(changed, issuedAtSeconds, request.claims.cnf?.jkt, dependencies);
    return transports.send(reply, request.transport, tokens.issue(login));
  });
}
