import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ACCESS_CLAIMS, es256, forge } from '../support/forge.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export const now = () => Math.floor(Date.now() / 1000);

/** An issuer that answers what a test wants, and counts who asks. */
export async function startFakeIssuer() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = es256(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' };
  const asked = { keys: 0, revocations: 0, elsewhere: 0 };

  const json =
    (body: unknown, headers: Record<string, string> = {}): Answer =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    };
  const jwt =
    (text: string, headers: Record<string, string> = {}): Answer =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/jwt', ...headers }).end(text);
    };
  const listOf = (revocations: object, claims: object = {}, header: object = {}) =>
    forge(
      { alg: 'ES256', typ: 'revocations+jwt', kid: 'one', ...header },
      {
        iss: url,
        aud: `${url}/.well-known/revocations`,
        iat: now(),
        exp: now() + 300,
        revocations,
        ...claims,
      },
      sign,
    );
  const answers = {
    keys: json({ keys: [jwk] }),
    revocations: ((request, response) => jwt(listOf({}))(request, response)) as Answer,
  };

  const server = createServer((request, response) => {
    if (request.url === '/.well-known/jwks.json') {
      asked.keys++;
      answers.keys(request, response);
    } else if (request.url === '/.well-known/revocations') {
      asked.revocations++;
      answers.revocations(request, response);
    } else {
      asked.elsewhere++;
      json({ keys: [jwk] })(request, response);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;

  return {
    url,
    jwk,
    asked,
    answers,
    json,
    jwt,
    listOf,
    token: (claims: object = {}, header: object = {}) =>
      forge(
        { alg: 'ES256', typ: 'at+jwt', kid: 'one', ...header },
        { ...ACCESS_CLAIMS, iss: url, iat: now(), auth_time: now(), exp: now() + 300, ...claims },
        sign,
      ),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type FakeIssuer = Awaited<ReturnType<typeof startFakeIssuer>>;
