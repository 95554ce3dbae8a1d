import { readFileSync } from 'node:fs';
import { Deployment } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service, ServiceAccount } from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { VARIABLES } from '../../src/config/settings.ts';
import { isOpenToOthers } from '../../src/proofs/keys/key-file.ts';
import { IMAGE, longestStopSeconds } from '../support/deploy.ts';

const MODELS = { Deployment, NetworkPolicy, PodDisruptionBudget, Service, ServiceAccount };
const manifests = parseAllDocuments(readFileSync('deploy/kubernetes.yaml', 'utf8')).map(
  (document): Record<string, unknown> => document.toJS(),
);

const Labels = z.record(z.string(), z.string());
const Probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
/** What of the Deployment is looked at here. */
const Pod = z.object({
  terminationGracePeriodSeconds: z.number(),
  securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number(), fsGroup: z.number() }),
  containers: z.tuple([
    z.object({
      ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
      env: z.array(z.object({ name: z.string(), value: z.string() })),
      startupProbe: Probe,
      readinessProbe: Probe,
      livenessProbe: Probe,
      securityContext: z.object({
        allowPrivilegeEscalation: z.literal(false),
        readOnlyRootFilesystem: z.literal(true),
        capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
      }),
      volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
    }),
  ]),
  volumes: z.array(z.object({ name: z.string(), secret: z.object({ defaultMode: z.number() }).optional() })),
});
const deployment = z
  .object({ spec: z.object({ template: z.object({ metadata: z.object({ labels: Labels }), spec: Pod }) }) })
  .parse(find('Deployment')).spec.template;
const [container] = deployment.spec.containers;
const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));

function find(kind: string): Record<string, unknown> | undefined {
  return manifests.find((manifest) => manifest.kind === kind);
}

/** A copy that writes down what of it was never looked at, which is what the model does not know. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.entries(value).map(([key, child]) => {
    unread.add(`${path}.${key}`);
    return [key, watched(child, `${path}.${key}`, unread)] as const;
  });
  const target = Array.isArray(value) ? copy.map(([, child]) => child) : Object.fromEntries(copy);
  return new Proxy(target, {
    get(object, key) {
      unread.delete(`${path}.${String(key)}`);
      return Reflect.get(object, key);
    },
  });
}

test.each(Object.entries(MODELS))(
  'the %s is as Kubernetes describes it, and has no field besides',
  (kind, Model) => {
    const manifest = find(kind);
    const unread = new Set<string>();
    const model = Object.assign(Object.create(Model.prototype), watched(manifest, '', unread));
    expect(() => model.validate()).not.toThrow();
    expect([...unread]).toEqual([]);
  },
);

test('nothing but these is in the file', () => {
  expect(manifests.map(({ kind }) => kind).sort()).toEqual(Object.keys(MODELS).sort());
});

test('every setting is one that idcard knows', () => {
  expect(Object.keys(env).filter((name) => !VARIABLES.has(name))).toEqual([]);
  expect(env.REGISTRATION).toBe('closed'); // the image does not start without it
});

test('the probes ask routes that exist, at the port of the image', () => {
  const { paths } = parse(readFileSync('openapi.yaml', 'utf8'));
  const { startupProbe, readinessProbe, livenessProbe, ports } = container;
  expect(ports).toEqual([{ name: 'http', containerPort: IMAGE.port }]);
  for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
    expect(paths[httpGet.path]?.get).toBeDefined();
    expect(httpGet.port).toBe('http');
  }
  expect([readinessProbe.httpGet.path, livenessProbe.httpGet.path]).toEqual(['/readyz', '/livez']);
});

test('a replica that stops has the time for it', () => {
  const { terminationGracePeriodSeconds } = deployment.spec;
  expect(terminationGracePeriodSeconds).toBeGreaterThan(
    longestStopSeconds(Number(env.SHUTDOWN_DELAY_SECONDS)),
  );
});

test('the secrets are files of the mounted Secret, with modes that idcard takes', () => {
  const { volumes, securityContext } = deployment.spec;
  const [mount] = container.volumeMounts.filter(({ name }) => name === 'secrets');
  for (const file of [env.DATABASE_URL_FILE, env.KEY_SET_FILE]) {
    expect(file?.startsWith(`${mount?.mountPath}/`)).toBe(true);
  }
  // For fsGroup, Kubernetes lets the group read what the owner, root, may read.
  const { defaultMode = 0o777 } = volumes.find(({ name }) => name === 'secrets')?.secret ?? {};
  const mode = defaultMode | 0o440;
  expect(isOpenToOthers({ mode, uid: 0 }, securityContext.runAsUser)).toBe(false);
  expect([securityContext.runAsUser, securityContext.fsGroup]).toEqual([IMAGE.uid, IMAGE.uid]);
});

test('each volume is mounted, and what the image writes beside its data can be written', () => {
  const { volumes } = deployment.spec;
  expect(volumes.map(({ name }) => name)).toEqual(container.volumeMounts.map(({ name }) => name));
  const mounted = container.volumeMounts.map(({ mountPath }) => mountPath);
  expect(IMAGE.writable.filter((folder) => !mounted.includes(folder))).toEqual(['/data']);
});

test('the Service, the budget and the policy are about these replicas', () => {
  const selectors = z
    .object({ spec: z.object({ selector: z.union([Labels, z.object({ matchLabels: Labels })]) }) })
    .transform(({ spec }) => ('matchLabels' in spec.selector ? spec.selector.matchLabels : spec.selector));
  for (const kind of ['Deployment', 'Service', 'PodDisruptionBudget']) {
    expect(selectors.parse(find(kind))).toEqual(deployment.metadata.labels);
  }
  expect(find('NetworkPolicy')).toMatchObject({
    spec: {
      podSelector: { matchLabels: deployment.metadata.labels },
      ingress: [{ ports: [{ port: 'http' }] }],
    },
  });
});
