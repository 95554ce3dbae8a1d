/**
 * What a refresh cannot do without, and nothing else: an HS256 signature checked, a row read by its primary key, an
 * ES256 and an HS256 signature made. The answer has the headers of `POST /v1/refresh`, and as many bytes.
 */
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { createSigner, createVerifier } from 'fast-jwt';
import { systemClock } from '../../src/base/clock.ts';
import { createKeySet } from '../../src/proofs/keys/key-set.ts';
import type { AccessClaims, RefreshClaims } from '../../src/proofs/tokens/claims.ts';
import { TokenResponse } from '../../src/transports/bearer.ts';
import { createRefreshSigner } from '../refresh-tokens.ts';
import { createPeer, tellAddress } from './peer.ts';

const ACCESS_SECONDS = 300;
const REFRESH_SECONDS = 604_800;

const { KEY_SET = '', DATABASE_URL = '' } = process.env;
const keys = createKeySet(KEY_SET, 'ES256', systemClock);
const accessKey = keys.signingKey('access');
const verifyRefresh = createVerifier({
  algorithms: ['HS256'],
  key: keys.signingKey('refresh').material as Buffer,
  cache: false,
});
const signRefresh = createRefreshSigner(KEY_SET);
const signAccess: (claims: AccessClaims) => string = createSigner({
  algorithm: 'ES256',
  key: (accessKey.material as { private: string }).private,
  kid: accessKey.kid,
  header: { alg: 'ES256', typ: 'at+jwt' },
});
const users = new DatabaseSync(DATABASE_URL.slice('sqlite:'.length));
const findUser = users.prepare('SELECT * FROM idcard_users WHERE id = ?');

const app = createPeer();
app.post('/v1/refresh', { schema: { response: { 200: TokenResponse } } }, (request, reply) => {
  const { refresh_token } = request.body as { refresh_token: string };
  const { iss, sub, sid, auth_time, amr } = verifyRefresh(refresh_token) as RefreshClaims;
  const { roles, token_version: ver } = findUser.get(sub) as { roles: string; token_version: number };
  const iat = systemClock();
  const claims = (lifetimeSeconds: number) => ({
    iss,
    sub,
    exp: iat + lifetimeSeconds,
    iat,
    jti: randomBytes(16).toString('base64url'),
    auth_time,
    amr,
    ver,
  });
  reply.send({
    access_token: signAccess({
      ...claims(ACCESS_SECONDS),
      aud: 'api',
      client_id: 'idcard',
      scope: 'account',
      roles: JSON.parse(roles),
    }),
    token_type: 'Bearer',
    expires_in: ACCESS_SECONDS,
    refresh_token: signRefresh({ ...claims(REFRESH_SECONDS), aud: iss, sid }),
    refresh_expires_in: REFRESH_SECONDS,
    scope: 'account',
  });
});
await tellAddress(app);
