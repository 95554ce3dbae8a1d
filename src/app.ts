import cookie from '@fastify/cookie';
import type { FastifyBaseLogger } from 'fastify';
import { createAdmission } from './attempts/admission.ts';
import { createAttempts } from './attempts/attempts.ts';
import { createGuessLimits, type GuessLimits, noGuessLimits } from './attempts/guessing.ts';
import { authentication } from './authentication.ts';
import type { Clock } from './base/clock.ts';
import { basePathOf } from './base/issuer.ts';
import type { Config } from './config/config.ts';
import type { Hasher } from './factors/passwords/hasher.ts';
import { createLazyPasswordPolicy } from './factors/passwords/lazy-policy.ts';
import { allowOrigins } from './http/cors.ts';
import { documentRoutes } from './http/documented-routes.ts';
import { acceptJsonOnly } from './http/json-body.ts';
import type { OpenApiTexts } from './http/openapi.ts';
import { passPreflights } from './http/preflights.ts';
import { logRequests } from './http/request-log.ts';
import { setSecurityHeaders } from './http/security-headers.ts';
import { createServer } from './http/server.ts';
import { createProxyMatcher } from './http/trusted-proxies.ts';
import type { App } from './http/zod.ts';
import { probeClaims } from './probe-claims.ts';
import { handleProblems } from './problems/error-handler.ts';
import { createDpop } from './proofs/dpop/dpop.ts';
import type { KeySet } from './proofs/keys/key-set.ts';
import { createRevocationList } from './proofs/revocations/revocation-list.ts';
import { createRevocations } from './proofs/revocations/revocations.ts';
import { createDeviceTokens } from './proofs/tokens/device-tokens.ts';
import { registerJwt } from './proofs/tokens/jwt.ts';
import { tokenProfiles } from './proofs/tokens/profiles.ts';
import { createTokens } from './proofs/tokens/tokens.ts';
import { createVerifiedTokens } from './proofs/tokens/verified-tokens.ts';
import { createRevocationFeed, keepSecondsOf, type Siblings } from './revocation-feed.ts';
import { changePasswordRoute } from './routes/account/change-password.ts';
import { logoutEverywhereRoute } from './routes/account/logout-everywhere.ts';
import { meRoute } from './routes/account/me.ts';
import type { ClaimsFunction, Lifecycle, RouteDependencies } from './routes/dependencies.ts';
import { loginRoute } from './routes/login/login.ts';
import { logoutRoute } from './routes/login/logout.ts';
import { refreshRoute } from './routes/login/refresh.ts';
import { registerRoute } from './routes/login/register.ts';
import { jwksRoute } from './routes/metadata/jwks.ts';
import { openidConfigurationRoute } from './routes/metadata/openid-configuration.ts';
import { revocationsRoute } from './routes/metadata/revocations.ts';
import { serverMetadataRoute } from './routes/metadata/server-metadata.ts';
import { theftBudgetRoute } from './routes/metadata/theft-budget.ts';
import { healthRoutes } from './routes/operations/health.ts';
import { openapiRoutes } from './routes/operations/openapi.ts';
import { verifyRoute } from './routes/verify.ts';
import { createTransports } from './transports/index.ts';
import type { UserDirectory } from './users/user-directory.ts';

export interface AppDependencies {
  config: Config;
  keySet: KeySet;
  directory: UserDirectory;
  hasher: Hasher;
  clock: Clock;
  /** What new tokens say of their beginning, if not `clock`. */
  issuingClock?: Clock;
  logger: FastifyBaseLogger;
  lifecycle: Lifecycle;
  /** Where attempts are counted, if not in this process. */
  guessLimits?: GuessLimits;
  siblings?: Siblings;
  customClaims?: ClaimsFunction;
  /** More routes for which an access token is needed. */
  lockedRoutes?: LockedRoutes;
  /** For tests, whose clock stands still: after the first poll nothing polls but `pollRevocations`. */
  pollsByHand?: boolean;
}

/** Registers routes, each of which has `request.claims`: the claims of a verified access token. */
export type LockedRoutes = (locked: App) => unknown;

/** The app, its document, and a poll by hand for tests, whose clock stands still. */
export type IdcardApp = App & { openapi(): Promise<OpenApiTexts>; pollRevocations(): Promise<void> };

/** How many verified tokens a process remembers; at about 1.5 kB each. */
const VERIFIED_TOKENS = 100_000;

/** The composition root: an app that does not listen yet. */
export async function buildApp(dependencies: AppDependencies): Promise<IdcardApp> {
  const {
    config,
    keySet,
    directory,
    clock,
    issuingClock = clock,
    logger,
    customClaims,
    lifecycle,
  } = dependencies;
  const basePath = basePathOf(config.server.publicUrl);
  const isProxy =
    config.server.trustedProxies.length > 0 ? createProxyMatcher(config.server.trustedProxies) : undefined;
  if (customClaims) await probeClaims(customClaims);
  const app = createServer(config.server, logger, isProxy);
  const openapi = documentRoutes(app, basePath);
  handleProblems(app, config.server.publicUrl + (config.server.docsPage ? '/docs' : '/openapi.yaml'));
  acceptJsonOnly(app);
  setSecurityHeaders(app);
  logRequests(app, ({ claims }) => claims?.sub);
  app.addHook('onSend', (_request, reply, payload, done) => {
    // A connection that is kept alive would outlive its answer and hold the process that is asked to stop.
    if (lifecycle.stopping) reply.header('connection', 'close');
    done(null, payload);
  });
  await app.register(cookie, { hook: false }); // cookies are read where one is expected, not on every request
  await allowOrigins(app, config.server);

  const jwt = await registerJwt(app, keySet, tokenProfiles(config.server.publicUrl, config.tokens));
  const verifiedTokens = createVerifiedTokens(VERIFIED_TOKENS);
  const keepSeconds = keepSecondsOf(config.tokens);
  const revocations = createRevocations(keepSeconds);
  const feed = createRevocationFeed({
    config: config.tokens,
    directory,
    revocations,
    clock,
    issuingClock,
    logger,
    siblings: dependencies.siblings,
    isStopping: () => lifecycle.stopping,
  });
  const { guessLimits = createGuessLimits() } = dependencies;
  const tokens = createTokens({
    issuer: config.server.publicUrl,
    settings: config.tokens,
    keySet,
    jwt,
    clock,
    verifiedTokens,
    revocations,
  });
  const dpop = createDpop({ publicUrl: config.server.publicUrl, keySet, clock });
  const origins = [new URL(config.server.publicUrl).origin, ...config.server.allowedOrigins];
  const transports = createTransports(config.server.publicUrl, origins);
  const routes: RouteDependencies = {
    ...dependencies,
    issuingClock: feed.issuingClock,
    directory: feed.directory,
    feed,
    customClaims: dependencies.customClaims,
    revocationList: createRevocationList({
      issuer: config.server.publicUrl,
      settings: config.tokens,
      keySet,
      jwt,
      clock,
      revocations,
      keepSeconds,
    }),
    tokens,
    dpop,
    deviceTokens: createDeviceTokens({ settings: config.tokens, keySet, clock }),
    transports,
    passwordPolicy: createLazyPasswordPolicy(config.passwords, config.server.publicUrl),
    attempts: createAttempts(
      config.attempts.rateLimits ? guessLimits : noGuessLimits,
      createAdmission(config.passwords.hashing),
    ),
  };

  registerRoute(app, routes);
  loginRoute(app, routes);
  refreshRoute(app, routes);
  logoutRoute(app, routes);
  jwksRoute(app, routes);
  serverMetadataRoute(app, routes);
  openidConfigurationRoute(app, routes);
  revocationsRoute(app, routes);
  theftBudgetRoute(app, routes);
  healthRoutes(app, routes);
  openapiRoutes(app, openapi);
  if (config.server.docsPage) (await import('./routes/operations/docs.ts')).docsRoutes(app);

  // Locked by place: whatever is registered in here needs an access token.
  const { requireDpop } = config.tokens;
  await app.register(async (locked: App) => {
    // Proxies ask here on behalf of other requests.
    const transports = createTransports(config.server.publicUrl, origins, { isProxy });
    if (isProxy) passPreflights(locked, isProxy);
    await locked.register(authentication, { requireDpop, tokens, transports, dpop });
    verifyRoute(locked, routes);
  });
  await app.register(async (locked: App) => {
    await locked.register(authentication, { requireDpop, tokens, transports, dpop });
    meRoute(locked, routes);
    changePasswordRoute(locked, routes);
    logoutEverywhereRoute(locked, routes);
    await dependencies.lockedRoutes?.(locked);
  });

  app.addHook('onReady', async () => {
    await feed.poll(); // nothing is verified before the first list is here
    if (!dependencies.pollsByHand) feed.start(); // not when it listens: an app that is embedded may never do that itself
  });
  app.addHook('preClose', async () => {
    lifecycle.stopping = true; // an app that is embedded has nobody else to say so
  });
  app.addHook('onClose', async () => feed.stop());
  return Object.assign(app, { openapi, pollRevocations: feed.poll });
}
