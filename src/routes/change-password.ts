import { z } from 'zod';
import type { RouteSchema } from '../http/route-schema.ts';
import type { App } from '../http/zod.ts';
import { Password } from '../passwords/password.ts';
import {
  crossSite,
  invalidToken,
  overloaded,
  tooManyRequests,
  unavailable,
  weakPassword,
  wrongPassword,
} from '../problems/catalogue.ts';
import { answerHeaders, attemptOf } from './attempt.ts';
import { findCurrentUser } from './current-user.ts';
import type { RouteDependencies } from './dependencies.ts';
import { credentialsExample } from './examples.ts';
import { newLogin } from './login.ts';
import { tokenResponses } from './token-response.ts';
import { reportUnusableHash } from './unusable-hash.ts';

const schema = {
  operationId: 'changePassword',
  summary: 'Change the password',
  description: 'Raises the token version, so that every earlier token is void, and answers with a new pair.',
  tags: ['Account'],
  body: z.strictObject({ current_password: Password, new_password: Password }).meta({ id: 'PasswordChange' }),
  bodyExamples: {
    ada: { current_password: credentialsExample.password, new_password: 'nine lazy clouds over Turin' },
  },
  ...tokenResponses,
  answerHeaders,
  problems: [weakPassword, wrongPassword, crossSite, tooManyRequests, overloaded, unavailable],
} satisfies RouteSchema;

type Dependencies = Pick<
  RouteDependencies,
  'directory' | 'hasher' | 'passwordPolicy' | 'attempts' | 'tokens' | 'transports' | 'clock' | 'customClaims'
>;

export function changePasswordRoute(app: App, dependencies: Dependencies): void {
  const { directory, hasher, passwordPolicy, attempts, tokens, transports } = dependencies;

  app.put('/v1/me/password', { schema }, async (request, reply) => {
    const { current_password, new_password } = request.body;
    const user = await findCurrentUser(directory, request.claims);
    const objection =
      new_password === current_password
        ? 'Must differ from the current password'
        : await passwordPolicy.objection(new_password, user.email);
    if (objection) throw weakPassword({ errors: [{ pointer: '#/new_password', detail: `${objection}.` }] });

    const attempt = attemptOf(request, reply, user.email);
    const passwordHash = await attempts.run(attempt, async (succeeded) => {
      if (!(await hasher.verify(user.passwordHash, current_password))) {
        reportUnusableHash(request.log, hasher, user);
        request.log.warn({ event: 'password.change-failed', sub: user.id, address: request.ip });
        throw wrongPassword();
      }
      await succeeded();
      return hasher.hash(new_password);
    });
    const { tokenVersion } = user;
    const changed = await directory.updateAndVoidTokens(user.id, { passwordHash }, { tokenVersion });
    if (!changed) throw invalidToken({ detail: 'The token was revoked meanwhile; log in again.' });
    request.log.info({ event: 'password.changed', sub: user.id, address: request.ip });
    return transports.send(
      reply,
      request.transport,
      tokens.issue(await newLogin(changed, request.claims.cnf?.jkt, dependencies)),
    );
  });
}
