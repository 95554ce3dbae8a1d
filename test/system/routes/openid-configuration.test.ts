import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { generateKeySet } from '../../../src/proofs/keys/key-rotation.ts';
import { ADA, createTestApp, START, type TestApp, type TokenBody } from '../../support/app.ts';
import { type ServerProcess, startServer, temporaryFolder } from '../../support/process.ts';
import { findProgram, lacks } from '../../support/system.ts';

const url = '/.well-known/openid-configuration';

async function algorithmsOf({ app }: TestApp): Promise<string[]> {
  return (await app.inject(url)).json().id_token_signing_alg_values_supported;
}

test('it says the issuer, where the keys are and their algorithms, and names no endpoint', async () => {
  const idcard = await createTestApp();
  const response = await idcard.app.inject(url);
  expect(response.headers['cache-control']).toBe('public, max-age=300');
  expect(response.json()).toEqual({
    issuer: 'http://localhost:3000',
    jwks_uri: 'http://localhost:3000/.well-known/jwks.json',
    response_types_supported: [],
    grant_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  });
  await idcard.close();
});

test.each(['ES256', 'RS256', 'EdDSA'])('the algorithm %s is the one that it names', async (JWT_ALGORITHM) => {
  const idcard = await createTestApp({ env: { JWT_ALGORITHM } });
  expect(await algorithmsOf(idcard)).toEqual([JWT_ALGORITHM]);
  await idcard.close();
});

test('while an old key is published beside one of another algorithm, it names both', async () => {
  const keysFor = (JWT_ALGORITHM: string) => generateKeySet(readConfig({ JWT_ALGORITHM }).keys, START).keys;
  const retiring = keysFor('ES256').map((key) => ({ ...key, exp: START + 60 }));
  const jwks = { keys: [...retiring, ...keysFor('EdDSA')] };
  const idcard = await createTestApp({ env: { JWT_ALGORITHM: 'EdDSA' }, jwks });
  expect((await algorithmsOf(idcard)).sort()).toEqual(['ES256', 'EdDSA']);
  idcard.time.now += 60;
  expect(await algorithmsOf(idcard)).toEqual(['EdDSA']);
  await idcard.close();
});

describe('who looks there verifies access tokens:', () => {
  let server: ServerProcess;
  let token: string;
  beforeAll(async () => {
    server = await startServer({ RATE_LIMITS: 'off' });
    const post = (path: string) =>
      fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(ADA),
      });
    await post('/v1/register');
    token = ((await (await post('/v1/login')).json()) as TokenBody).access_token;
  });
  afterAll(() => server.stop());

  test('oauth4webapi and jose', async () => {
    const issuer = new URL(server.url);
    const options = { algorithm: 'oidc', [oauth.allowInsecureRequests]: true } as const;
    const found = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(found.jwks_uri ?? '')), {
      issuer: found.issuer,
      audience: 'api',
      typ: 'at+jwt',
      algorithms: found.id_token_signing_alg_values_supported as string[],
    });
    expect(payload.iss).toBe(server.url);
  });

  test.skipIf(lacks('go'))('go-oidc, as in Kubernetes', { timeout: 120_000 }, () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'main.go'), GO);
    const { status, stdout, stderr } = spawnSync(
      findProgram('go') ?? 'go',
      ['run', join(folder, 'main.go'), server.url, token],
      {
        env: {
          PATH: process.env.PATH ?? '',
          HOME: folder,
          GOPATH: '/usr/share/gocode', // Debian's packages
          GO111MODULE: 'off',
          GOCACHE: join(folder, 'cache'),
        },
        encoding: 'utf8',
      },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: server.url, stderr: '' });
    rmSync(folder, { recursive: true });
  });
});

const GO = `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	oidc "github.com/coreos/go-oidc"
)

func main() {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var found struct {
		Algorithms []string \`json:"id_token_signing_alg_values_supported"\`
	}
	if err := provider.Claims(&found); err != nil {
		log.Fatal(err)
	}
	config := &oidc.Config{ClientID: "api", SupportedSigningAlgs: found.Algorithms} // v3 reads them by itself
	token, err := provider.Verifier(config).Verify(ctx, os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(token.Issuer)
}
`;
