import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  findFreePort,
  runNode,
  type ServerProcess,
  startServer,
  temporaryFolder,
} from '../support/process.ts';

/** As the guide runs it in a terminal. */
const [, newmanVersion, newmanArguments = ''] =
  /^npx newman@(\S+) (run .*)$/m.exec(readFileSync('docs/generated-clients.md', 'utf8')) ?? [];
const COLLECTION = 'postman/idcard.postman_collection.json';
const ENVIRONMENT = 'postman/idcard.postman_environment.json';

/** What newman reports of a run. */
const Report = z.object({
  run: z.object({
    executions: z.array(
      z.object({
        item: z.object({ name: z.string() }),
        response: z.object({ code: z.number() }),
        assertions: z.array(z.unknown()),
      }),
    ),
    failures: z.array(z.unknown()),
  }),
});

const summaries = Object.values(parse(readFileSync('openapi.yaml', 'utf8')).paths as object)
  .flatMap((methods) => Object.values(methods as object))
  .map(({ summary }) => String(summary));

const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  const installed = await runNode(['scripts/install.ts', 'postman'], { env: { HOME: folder } });
  expect(installed).toMatchObject({ code: 0 });
  server = await startServer();
}, 300_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

/** Runs the collection from first to last, as a user of newman would. */
async function runCollection(baseUrl: string) {
  const reportFile = join(folder, 'report.json');
  const { code, stderr } = await runNode([
    '--no-deprecation', // newman is older than this Node
    'postman/node_modules/newman/bin/newman.js',
    ...newmanArguments.split(' '),
    ...['--env-var', `baseUrl=${baseUrl}`, '--reporters', 'json', '--reporter-json-export', reportFile],
  ]);
  expect(stderr).toBe('');
  const { run } = Report.parse(JSON.parse(readFileSync(reportFile, 'utf8')));
  return { code, ...run };
}

describe('the Postman collection', () => {
  test('succeeds from the first request to the last, and again, with another user', {
    timeout: 120_000,
  }, async () => {
    for (let times = 0; times < 2; times++) {
      const { code, executions, failures } = await runCollection(server.url);
      expect([code, failures]).toEqual([0, []]);
      expect(executions.map(({ item }) => item.name).sort()).toEqual([...summaries].sort());
      for (const { response, assertions } of executions) {
        expect(response.code).toBeOneOf([200, 201, 204]);
        expect(assertions.length).toBeGreaterThan(0);
      }
    }
  });

  test('succeeds where idcard has a path', { timeout: 120_000 }, async () => {
    const PORT = String(await findFreePort());
    const below = await startServer({ PORT, PUBLIC_URL: `http://127.0.0.1:${PORT}/auth` });
    const { code, failures } = await runCollection(below.url);
    await below.stop();
    expect([code, failures]).toEqual([0, []]);
  });

  test('is run by the newman that the README names', () => {
    const { devDependencies, dependencies } = JSON.parse(readFileSync('postman/package.json', 'utf8'));
    expect({ ...dependencies, ...devDependencies }).toMatchObject({ newman: newmanVersion });
  });

  test('fails where a route does', { timeout: 120_000 }, async () => {
    const strict = await startServer({ REQUIRE_DPOP: 'true' });
    const { code, failures } = await runCollection(strict.url);
    await strict.stop();
    expect(code).toBe(1);
    expect(failures.length).toBeGreaterThan(3);
  });

  test('and its environment hold no token and no password', () => {
    const { values } = JSON.parse(readFileSync(ENVIRONMENT, 'utf8'));
    const names = ['access_token', 'refresh_token', 'password', 'new_password'];
    for (const key of names) expect(values).toContainEqual({ key, value: '', type: 'secret', enabled: true });
    const { item } = JSON.parse(readFileSync(COLLECTION, 'utf8'));
    const bodies = item.flatMap((each: { item: { request: { body?: { raw: string } } }[] }) =>
      each.item.flatMap(({ request }) => (request.body ? Object.values(JSON.parse(request.body.raw)) : [])),
    );
    expect(bodies).toHaveLength(7);
    for (const value of bodies) expect(value).toMatch(/^\{\{\w+\}\}$/);
  });
});
