import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

/** No Traefik runs here: what can be said of its files is that they fit together. */
const { http } = parse(readFileSync('deploy/traefik/dynamic.yaml', 'utf8'));
const { services } = parse(readFileSync('deploy/traefik/labels.yaml', 'utf8'));
const labels = new Map<string, string>(
  [...services.app.labels, ...services.idcard.labels].map((label: string) => {
    const equals = label.indexOf('=');
    return [label.slice(0, equals), label.slice(equals + 1)];
  }),
);

test('the routers name services and middlewares that exist, and only the one of idcard is open', () => {
  for (const { service, middlewares = [] } of Object.values<{ service: string; middlewares?: string[] }>(
    http.routers,
  )) {
    expect(http.services[service]).toBeDefined();
    for (const name of middlewares) expect(http.middlewares[name]).toBeDefined();
  }
  expect(http.routers.app.middlewares).toEqual(['without-identity', 'login']);
  expect(http.routers.idcard.middlewares).toBeUndefined();
});

test('each header that is believed is taken from the client first, in every spelling', () => {
  const removed = http.middlewares['without-identity'].headers.customRequestHeaders;
  for (const header of http.middlewares.login.forwardAuth.authResponseHeaders) {
    const expected = ['--', '-_', '_-', '__'].map((signs) =>
      header.replace(/^(\w)-(\w+)-/, `$1${signs[0]}$2${signs[1]}`),
    );
    for (const name of expected) expect(removed[name]).toBe('');
  }
  expect(Object.keys(removed)).toHaveLength(8);
});

test('the labels say the same as the file', () => {
  for (const [name, { rule, middlewares }] of Object.entries<{ rule: string; middlewares?: string[] }>(
    http.routers,
  )) {
    expect(labels.get(`traefik.http.routers.${name}.rule`)).toBe(rule);
    expect(labels.get(`traefik.http.routers.${name}.middlewares`)).toBe(middlewares?.join(','));
  }
  const prefix = 'traefik.http.middlewares';
  const { address, trustForwardHeader, authResponseHeaders } = http.middlewares.login.forwardAuth;
  expect(labels.get(`${prefix}.login.forwardauth.address`)).toBe(address.replace('127.0.0.1', 'idcard'));
  expect(labels.get(`${prefix}.login.forwardauth.trustforwardheader`)).toBe(String(trustForwardHeader));
  expect(labels.get(`${prefix}.login.forwardauth.authresponseheaders`)).toBe(authResponseHeaders.join(','));
  for (const name of Object.keys(http.middlewares['without-identity'].headers.customRequestHeaders)) {
    expect(labels.get(`${prefix}.without-identity.headers.customrequestheaders.${name}`)).toBe('');
  }
});
