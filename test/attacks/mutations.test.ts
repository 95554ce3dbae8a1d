import fc from 'fast-check';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { Problem } from '../../src/problems/problem.ts';
import { createDpop, type Dpop } from '../../src/proofs/dpop/dpop.ts';
import { generateKeySet } from '../../src/proofs/keys/key-rotation.ts';
import { createKeySet } from '../../src/proofs/keys/key-set.ts';
import { createRevocations } from '../../src/proofs/revocations/revocations.ts';
import { registerJwt } from '../../src/proofs/tokens/jwt.ts';
import { tokenProfiles } from '../../src/proofs/tokens/profiles.ts';
import { createTokens, type Tokens } from '../../src/proofs/tokens/tokens.ts';
import { createVerifiedTokens } from '../../src/proofs/tokens/verified-tokens.ts';
import { createTransports } from '../../src/transports/index.ts';
import { START } from '../support/app.ts';
import { createProofKey, forgeProof, type ProofKey, proofClaims } from '../support/dpop.ts';
import { mutationOf } from './mutation.ts';

/** `npm run test:mutations` tries a million. */
const MUTATIONS = Number(process.env.MUTATIONS ?? 20_000);
const TIMEOUT_MS = 60_000 + MUTATIONS;

const config = readConfig({});
const transports = createTransports(config.server.publicUrl, [config.server.publicUrl]);
const use = { method: 'GET', url: '/v1/me', accessToken: 'a.b.c' };
const proofKeys: ProofKey[] = [createProofKey('ES256'), createProofKey('EdDSA')];

let app: FastifyInstance;
let tokens: Tokens;
/** Each one remembers no proof, so that a replay is not what refuses a changed one. */
let createProofCheck: () => Dpop;
/** Of each kind one plain and one bound, of two users. */
const real: Record<'access' | 'refresh' | 'proof', string[]> = { access: [], refresh: [], proof: [] };

beforeAll(async () => {
  const clock = () => START;
  app = Fastify();
  const keySet = createKeySet(
    JSON.stringify(generateKeySet(config.keys, START)),
    config.keys.algorithm,
    clock,
  );
  const jwt = await registerJwt(app, keySet, tokenProfiles(config.server.publicUrl, config.tokens));
  const revocations = createRevocations(300);
  tokens = createTokens({
    issuer: config.server.publicUrl,
    settings: config.tokens,
    keySet,
    jwt,
    clock,
    verifiedTokens: createVerifiedTokens(10),
    revocations,
  });
  createProofCheck = () => createDpop({ publicUrl: config.server.publicUrl, keySet, clock });
  const login = {
    sid: 'a-login',
    issuedAtSeconds: START,
    authTimeSeconds: START,
    amr: ['pwd'],
    roles: [],
    ver: 1,
  };
  for (const bound of [
    { sub: 'ada', jkt: undefined },
    { sub: 'bob', jkt: proofKeys[0]?.jkt },
  ]) {
    const pair = tokens.issue({ ...login, ...bound });
    real.access.push(pair.accessToken);
    real.refresh.push(pair.refreshToken);
  }
  real.proof.push(...proofKeys.map(proofBy));
});
afterAll(() => app.close());

function proofBy(key: ProofKey): string {
  return forgeProof(key, proofClaims(use.method, use.url, createProofCheck().nonce(), use.accessToken));
}

/** As much of a request as transports look at. */
function request(headers: Record<string, string>, method = 'GET'): FastifyRequest {
  return {
    method,
    headers,
    raw: { rawHeaders: Object.entries(headers).flat() },
  } as unknown as FastifyRequest;
}

/** The ways in which a text reaches a verifier. Each returns the token that was accepted, or undefined. */
const ways: Record<string, { kind: keyof typeof real; present: (text: string) => string | undefined }> = {
  'access token by header': {
    kind: 'access',
    present: (text) => present(request({ authorization: `Bearer ${text}` })),
  },
  'access token by cookie': {
    kind: 'access',
    present: (text) => present(request({ cookie: `access=${text}` })),
  },
  'refresh token by body': { kind: 'refresh', present: (text) => presentRefresh(request({}, 'POST'), text) },
  'refresh token by cookie': {
    kind: 'refresh',
    present: (text) => presentRefresh(request({ cookie: `refresh=${text}` }, 'POST')),
  },
  'DPoP proof': {
    kind: 'proof',
    present(text) {
      createProofCheck().verifyProof(text, use);
      return text;
    },
  },
};

function present(incoming: FastifyRequest): string | undefined {
  const received = transports.receiveAccessToken(incoming);
  if (received) tokens.verifyAccess(received.token);
  return received?.token;
}

function presentRefresh(incoming: FastifyRequest, fromBody?: string): string | undefined {
  const received = transports.receiveRefreshToken(incoming, fromBody);
  if (received) tokens.verifyRefresh(received.token);
  return received?.token;
}

/** What came of it: the token that was accepted, or the status of the refusal. */
function outcomeOf(present: (text: string) => string | undefined, text: string): string | number {
  try {
    return present(text) ?? 401; // no credentials at all
  } catch (error) {
    if (error instanceof Problem) return error.kind.status;
    throw error;
  }
}

test.each(Object.entries(ways))('an unchanged %s is accepted', (_way, { kind, present }) => {
  for (const text of real[kind]) expect(outcomeOf(present, text)).toBe(text);
});

test(
  `of ${MUTATIONS} changed tokens and proofs none is accepted, and none is answered but by 401`,
  () => {
    const tried = { changed: 0, unchanged: 0 };
    const mutations = mutationOf([...real.access, ...real.refresh, ...real.proof]);
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(ways)),
        fc.nat(1),
        mutations,
        ({ kind, present }, index, mutate) => {
          const original = real[kind][index] ?? '';
          const changed = mutate(original);
          tried[changed === original ? 'unchanged' : 'changed']++;
          const outcome = outcomeOf(present, changed);
          if (outcome !== 401 && !real[kind].includes(String(outcome)))
            throw new Error(`${outcome}: ${changed}`);
        },
      ),
      { numRuns: MUTATIONS },
    );
    expect(tried.changed).toBeGreaterThan(0.95 * MUTATIONS);
    console.info(`${tried.changed} changed, ${tried.unchanged} not`);
  },
  TIMEOUT_MS,
);
