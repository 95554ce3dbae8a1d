import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { PUBLIC_PATHS, spellingsOf } from '../support/protected-app.ts';

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
  expect(http.routers.app.middlewares).toEqual(['without-identity', 'login', 'without-cookies']);
  expect(http.routers.idcard.middlewares).toBeUndefined();
});

test('the addresses of idcard that need no login are the ones that the router of idcard names', () => {
  const { rule } = http.routers.idcard;
  expect([...rule.matchAll(/\bPath\(`(.*?)`\)/g)].map(([, path]) => path)).toEqual(PUBLIC_PATHS);
  expect([...rule.matchAll(/PathPrefix\(`(.*?)`\)/g)].map(([, path]) => path)).toEqual(['/v1/']);
});

test('each header that is believed is taken from the client first, in every spelling', () => {
  const removed = http.middlewares['without-identity'].headers.customRequestHeaders;
  const believed = http.middlewares.login.forwardAuth.authResponseHeaders;
  expect(believed).toEqual(['X-Auth-Subject', 'X-Auth-Roles', 'X-Auth-Email']);
  expect(removed).toEqual(
    Object.fromEntries(believed.flatMap(spellingsOf).map((name: string) => [name, ''])),
  );
});

test('the method is what Traefik saw, and every header of the client is shown to idcard', () => {
  const { trustForwardHeader, authRequestHeaders } = http.middlewares.login.forwardAuth;
  expect(trustForwardHeader).toBe(false);
  expect(authRequestHeaders).toBeUndefined(); // a list would keep Origin from it
});

test('the application gets no cookie, and idcard gets all of them', () => {
  expect(http.middlewares['without-cookies'].headers.customRequestHeaders).toEqual({ Cookie: '' });
});

test('the labels say the same as the file, and take the middlewares from it', () => {
  for (const [name, { rule, middlewares }] of Object.entries<{ rule: string; middlewares?: string[] }>(
    http.routers,
  )) {
    expect(labels.get(`traefik.http.routers.${name}.rule`)).toBe(rule);
    const inFile = middlewares?.map((middleware) => `${middleware}@file`).join(',');
    expect(labels.get(`traefik.http.routers.${name}.middlewares`)).toBe(inFile);
  }
  const { serversTransport } = http.services.idcard.loadBalancer;
  expect(http.serversTransports[serversTransport]).toBeDefined();
  expect(labels.get('traefik.http.services.idcard.loadbalancer.serverstransport')).toBe(
    `${serversTransport}@file`,
  );
});
