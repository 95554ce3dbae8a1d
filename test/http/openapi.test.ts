import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { unavailable } from '../../src/problems/general.ts';
import { ADA, addUser, bearer, createTestApp, type TestApp } from '../support/app.ts';
import { answerOf } from '../support/checked-answers.ts';
import {
  type Answer,
  components,
  document,
  documentText,
  type Json,
  objectionTo,
  resolvedResponse,
  sharedResponses,
  validatorOf,
} from '../support/document.ts';

interface Exchange extends Answer {
  /** The method and the path, as the document has them. */
  operation: string;
}

const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
);
const responses = operations.flatMap(({ operation }) => Object.values(operation.responses ?? {}));

let idcard: TestApp;
let failure: Error | undefined;
let exchanges: Exchange[];

beforeAll(async () => {
  idcard = await createTestApp({
    env: { TRUSTED_PROXIES: '127.0.0.1' },
    directory: (directory) =>
      new Proxy(directory, {
        get: (target, name) => (failure ? () => Promise.reject(failure) : Reflect.get(target, name)),
      }),
  });
  exchanges = await talk();
});
afterAll(() => idcard.close());

/** Every value in a part of the document, with the name it stands under. */
function* walk(value: unknown, name = ''): Generator<[string, unknown]> {
  yield [name, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) yield* walk(member, key);
}

function schemasOf(part: unknown): Json[] {
  return [...walk(part)].filter(([name]) => name === 'schema').map(([, schema]) => schema as Json);
}

describe('openapi.yaml', () => {
  test('is what the app serves, as YAML and as JSON', async () => {
    const yaml = await idcard.app.inject('/openapi.yaml');
    expect(yaml.headers['content-type']).toBe('application/yaml');
    expect(yaml.body).toBe(documentText);
    const json = await idcard.app.inject('/openapi.json');
    expect(json.headers['content-type']).toMatch(/^application\/json/);
    expect(json.json()).toEqual(document);
  });

  test('has the routes of the router, and no others', () => {
    const page = ['', '/page.js', '/page.css', '/swagger-ui-bundle.js', '/swagger-ui.css'].map(
      (file) => `get /docs${file}`,
    );
    const undocumented = ['get /openapi.json', 'get /openapi.yaml', ...page];
    expect(routesOf(idcard).sort()).toEqual([...operations.map(({ name }) => name), ...undocumented].sort());
  });

  test('names each operation once, in camel case', () => {
    const ids = operations.map(({ operation }) => String(operation.operationId));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+([A-Z][a-z]+)*$/);
  });

  test('has no object without a name, and no name that is not used', () => {
    const named = Object.values(components);
    const inline = [
      ...walk([document.paths, sharedResponses]),
      ...named.flatMap((schema) => [...walk(schema.properties)]),
    ]
      .map(([, value]) => value)
      .filter((value) => typeof value === 'object' && value !== null && 'properties' in value);
    expect(inline).toEqual([]);
    const used = new Set([...walk(document)].filter(([name]) => name === '$ref').map(([, ref]) => ref));
    expect([...used].sort()).toEqual(
      [
        ...Object.keys(components).map((name) => `#/components/schemas/${name}`),
        ...Object.keys(sharedResponses).map((name) => `#/components/responses/${name}`),
      ].sort(),
    );
  });

  test('says once what routes share: no failure stands twice, and none under a name that one route uses', () => {
    const own = responses
      .filter(({ $ref }) => $ref === undefined)
      .map((response) => JSON.stringify(response));
    expect(own.length).toBeGreaterThan(20);
    expect(own.filter((response, index) => own.indexOf(response) !== index)).toEqual([]);
    const uses = Map.groupBy(responses, ({ $ref }) => String($ref));
    expect([...uses].filter(([, { length }]) => length < 2).map(([name]) => name)).toEqual([]);
  });

  test('explains every tag that a route names', () => {
    const explained = Object.values(document.tags ?? {}).map(({ name }) => name);
    const named = operations.flatMap(({ operation }) => Object.values(operation.tags ?? {}));
    expect([...new Set(named)].sort()).toEqual(explained.sort());
  });

  test('lets an answer gain a field, and a request body have no other', () => {
    const reach = (schema: unknown): unknown[] =>
      [...walk(schema)].flatMap(([name, value]) =>
        name === '$ref' ? reach(components[String(value).split('/').at(-1) ?? '']) : [value],
      );
    const isClosed = (value: unknown) =>
      typeof value === 'object' && value !== null && 'additionalProperties' in value;
    const answers = responses.map(resolvedResponse).flatMap(schemasOf);
    expect(answers.length).toBeGreaterThan(50);
    expect(answers.flatMap(reach).filter(isClosed)).toEqual([]);
    const bodies = operations.flatMap(({ operation }) => schemasOf(operation.requestBody));
    expect(bodies.map((body) => reach(body).filter(isClosed).length)).toEqual(bodies.map(() => 1));
  });

  test.each(operations)('says whether $name needs a token', async ({ name, operation }) => {
    expect(document.security).toEqual([{ bearer: [] }, { dpop: [] }, { cookie: [] }]);
    const [method = '', url = ''] = name.split(' ');
    const response = await idcard.app.inject({ method: method as 'get', url });
    const isLocked = response.body.includes('urn:idcard:problem:login-required');
    expect(operation.security).toEqual(isLocked ? undefined : []);
  });

  test('has only examples that its schemas allow', () => {
    const examples = [...walk([document.paths, sharedResponses])]
      .filter(([name]) => name === 'content')
      .flatMap(([, content]) => Object.values(content as Json))
      .flatMap(({ schema, examples: given = {} }) =>
        Object.values(given).map(({ value }) => ({ value, validator: validatorOf(schema) })),
      );
    expect(examples.length).toBeGreaterThan(50);
    for (const { value, validator } of examples) {
      expect(validator.safeParse(value).error).toBeUndefined();
      expect(validator.safeParse({ ...value, surplus: true }).success).toBe(false);
    }
  });
});

test('openapi-3.0.yaml has the same operations and types, and whole numbers of 64 bits', () => {
  const older: Json = parse(readFileSync('openapi-3.0.yaml', 'utf8'));
  expect(older.openapi).toBe('3.0.3');
  const shapeOf = (part: unknown) =>
    [...walk(part)].filter(([name]) => ['operationId', '$ref', 'required', 'description'].includes(name));
  expect(shapeOf(older)).toEqual(shapeOf(document));
  const numbers = [...walk(older)].filter(([, value]) => Object(value).type === 'integer');
  expect(numbers.length).toBeGreaterThan(5);
  for (const [, number] of numbers) expect(number).toMatchObject({ format: 'int64' });
});

describe('what routes answer', () => {
  test('is every success that the document has', () => {
    const documented = operations.flatMap(({ name, operation }) =>
      Object.keys(operation.responses ?? {})
        .filter((status) => status.startsWith('2'))
        .map((status) => `${name} ${status}`),
    );
    const seen = exchanges.map(({ operation, status }) => `${operation} ${status}`);
    expect(documented.filter((success) => !seen.includes(success))).toEqual([]);
  });

  test('is documented: status, media type, kind of problem, and shape', () => {
    expect(exchanges.map(objectionTo).filter((objection) => objection !== undefined)).toEqual([]);
  });

  test('covers many kinds of problem', () => {
    const statuses = new Set(exchanges.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([200, 201, 204, 400, 401, 403, 409, 413, 415, 429, 500, 503]);
  });
});

/** `GET /v1/me` as `get /v1/me`, read from the tree that the router prints. */
function routesOf({ app }: TestApp): string[] {
  const parents: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent, part, methods] = /^([│ ]*)[├└]── (\S+) \((.+)\)$/.exec(line) ?? [];
      if (indent === undefined || part === undefined || methods === undefined) return [];
      const depth = indent.length / 4;
      parents[depth] = `${depth === 0 ? '' : parents[depth - 1]}${part}`;
      return methods
        .split(', ')
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method.toLowerCase()} ${parents[depth]}`);
    });
}

/** Sends every route what it likes and what it does not. */
async function talk(): Promise<Exchange[]> {
  const said: Exchange[] = [];
  async function send(
    operation: string,
    headers: Record<string, string> = {},
    payload?: object | string,
    query: Record<string, string> = {},
  ) {
    const [method = '', path = ''] = operation.split(' ');
    const response = await idcard.app.inject({
      method: method as 'get',
      url: path,
      query,
      headers,
      ...(payload !== undefined && { payload }),
    });
    said.push({ operation, ...answerOf(method, path, response) });
    return response;
  }
  const bodyExample = (operation: string, name: string): object =>
    operations.find((each) => each.name === operation)?.operation.requestBody?.content?.['application/json']
      ?.examples?.[name]?.value ?? {};

  await send('post /v1/register', {}, bodyExample('post /v1/register', 'ada'));
  await send('post /v1/register', {}, bodyExample('post /v1/register', 'ada'));
  await send('post /v1/register', {}, { email: 'eve@example.com', password: 'password' });
  await addUser(idcard, { email: 'bob@example.com', password: ADA.password, roles: ['admin', 'auditor'] });
  const login = await send('post /v1/login', {}, bodyExample('post /v1/login', 'bearer'));
  const cookieLogin = await send('post /v1/login', {}, bodyExample('post /v1/login', 'cookie'));
  const cookie = cookieLogin.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const token = bearer(login.json().access_token);
  const crossSite = { cookie, origin: 'https://evil.example', 'x-forwarded-method': 'POST' };
  const bob = await send('post /v1/login', {}, { email: 'bob@example.com', password: ADA.password });
  await send('get /v1/verify', bearer(bob.json().access_token));
  const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' };
  await send('get /v1/verify', { ...preflight, 'x-forwarded-method': 'OPTIONS' }, undefined, {
    preflight: 'pass',
  });
  await send('get /v1/me', bearer(bob.json().access_token));
  await send('post /v1/refresh', {}, { refresh_token: login.json().refresh_token });
  await send('post /v1/refresh', { ...token, cookie });
  const guesses = Array.from({ length: 12 }, () =>
    send('post /v1/login', {}, { email: 'mallory@example.com', password: 'wrong' }),
  );
  await Promise.all(guesses);

  const credentials = [{}, token, { cookie }, { ...token, cookie }, bearer('x.y.z'), crossSite];
  const payloads = [undefined, {}, { nonsense: 1 }, { long: 'x'.repeat(16_385) }, 'text'];
  const harmless = operations.filter(({ name }) => !/everywhere/.test(name));
  for (const { name } of harmless) {
    for (const headers of credentials) {
      for (const payload of name.startsWith('get ') ? [undefined] : payloads)
        await send(name, headers, payload);
      await send(name, { ...headers, 'content-type': 'application/json' }, '{');
    }
  }
  for (const error of [unavailable({ retryAfterSeconds: 2 }), new Error('broken')]) {
    failure = error;
    await send('post /v1/login', {}, ADA);
    await send('post /v1/register', {}, { ...ADA, email: 'new@example.com' });
    await send('post /v1/refresh', {}, { refresh_token: login.json().refresh_token });
    for (const name of ['get /v1/me', 'get /readyz', 'post /v1/logout-everywhere']) await send(name, token);
    failure = undefined;
  }
  const password = 'put /v1/me/password';
  const change = bodyExample(password, 'ada');
  await send(password, token, { ...change, current_password: 'not the current one' });
  await send(password, token, { ...change, new_password: 'password' });
  const changed = await send(password, token, change);
  const newToken = bearer(changed.json().access_token);
  const relogin = { email: ADA.email, password: 'nine lazy clouds over Turin', transport: 'cookie' };
  const again = await send('post /v1/login', {}, relogin);
  const newCookie = { cookie: again.cookies.map(({ name, value }) => `${name}=${value}`).join('; ') };
  await send(password, newCookie, { current_password: relogin.password, new_password: ADA.password });
  const last = await send('post /v1/login', {}, ADA);
  await send('post /v1/logout-everywhere', newToken);
  for (const payload of ['text', { long: 'x'.repeat(16_385) }]) {
    await send('post /v1/logout-everywhere', bearer(last.json().access_token), payload);
  }
  await send('post /v1/logout-everywhere', bearer(last.json().access_token));
  idcard.app.beginStop('SIGTERM');
  await send('get /readyz');
  return said;
}
