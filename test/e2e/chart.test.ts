import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeYamlDocuments } from '@arc/apimachinery/yaml';
import { parseStorageUrl } from '@arc/composition/storage';
import { findTool, runCommand, type CommandResult } from '@arc/testkit';

const helm = findTool('helm');
const root = fileURLToPath(new URL('../../', import.meta.url));

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string }[];
  readonly securityContext?: unknown;
  readonly volumeMounts?: readonly { readonly name: string }[];
}

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly securityContext: { readonly runAsNonRoot?: boolean };
    readonly containers: readonly Container[];
    readonly volumes?: readonly { readonly name: string }[];
  };
}

function template(...args: readonly string[]): Promise<CommandResult> {
  assert.ok(helm !== undefined);
  return runCommand(helm, ['template', 'arc', 'charts/arc', '--namespace', 'zone-a', ...args], { cwd: root });
}

async function render(...sets: readonly string[]): Promise<readonly Rendered[]> {
  const { code, stdout, stderr } = await template(...sets.flatMap((set) => ['--set', set]));
  assert.equal(code, 0, stderr);
  return decodeYamlDocuments(stdout).map(({ value }) => value as unknown as Rendered);
}

const podsOf = (objects: readonly Rendered[]): readonly (readonly [Rendered, PodTemplate])[] =>
  objects.flatMap((object) => {
    const pod = object.spec?.['template'] as PodTemplate | undefined;
    return pod === undefined ? [] : [[object, pod] as const];
  });

const ownEtcd: readonly string[] = [];
const foreignEtcd = [
  'storage.etcd.deploy=false',
  'storage.etcd.endpoints={https://one:2379,https://two:2379}',
  'storage.etcd.tlsSecretName=etcd',
];
const postgres = [
  ...['storage.backend=postgresql', 'storage.postgresql.host=db.example.com', 'storage.postgresql.passwordSecretName=database'],
  'storage.postgresql.user=a r/c',
];
const variants = {
  'an etcd of its own': ownEtcd,
  'three members, cert-manager and everything optional': [
    ...['etcd.replicaCount=3', 'certificates.source=cert-manager', 'metrics.serviceMonitor.enabled=true', 'dashboards.enabled=true'],
    ...['networkPolicies.enabled=true', 'tenants={team-a,team-b}', 'apiserver.enforceQuotas=true', 'controllerManager.argoInstanceId=two'],
    'apiserver.autoscaling.enabled=true',
    'controllerManager.kueue=workloads',
  ],
  'an etcd of others': foreignEtcd,
  PostgreSQL: postgres,
};

describe('the chart', { skip: helm === undefined && 'no helm on this machine: test/tools/helm/build.sh builds it with Go' }, () => {
  for (const [name, sets] of Object.entries(variants)) {
    test(`${name}: programs understand their flags, pods are restricted, everything refers to what is there`, async () => {
      const objects = await render(...sets);
      const named = (kind: string, wanted: string | undefined): boolean =>
        objects.some((object) => object.kind === kind && object.metadata.name === wanted);
      for (const { kind, metadata } of objects) {
        if (/^(Cluster|APIService)/.test(kind)) assert.equal(metadata.namespace, undefined, `${kind} ${metadata.name}`);
        else assert.match(metadata.namespace ?? '', /^(zone-a|kube-system|team-[ab])$/, `${kind} ${metadata.name}`);
      }
      for (const [owner, pod] of podsOf(objects)) {
        const what = `${owner.kind} ${owner.metadata.name}`;
        assert.equal(pod.spec.securityContext.runAsNonRoot, true, what);
        if (pod.spec.serviceAccountName !== undefined) assert.ok(named('ServiceAccount', pod.spec.serviceAccountName), what);
        for (const container of pod.spec.containers) {
          assert.deepEqual(
            container.securityContext,
            { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
            what,
          );
          for (const mount of container.volumeMounts ?? []) {
            const claims = (owner.spec?.['volumeClaimTemplates'] ?? []) as readonly Rendered[];
            const there = [...(pod.spec.volumes ?? []).map((volume) => volume.name), ...claims.map((claim) => claim.metadata.name)];
            assert.ok(there.includes(mount.name), `${what} mounts ${mount.name}`);
          }
          await assertFlags(container);
        }
      }
      for (const { kind, metadata, spec } of objects.filter((each) => each.kind === 'Service')) {
        const selector = Object.entries(spec?.['selector'] as Readonly<Record<string, string>>);
        const chosen = podsOf(objects).filter(([, pod]) => selector.every(([key, value]) => pod.metadata.labels[key] === value));
        assert.equal(chosen.length, 1, `${kind} ${metadata.name} chooses the pods of one owner`);
        for (const { targetPort } of (spec?.['ports'] ?? []) as readonly { readonly targetPort: string }[]) {
          const ports = chosen.flatMap(([, pod]) => pod.spec.containers.flatMap((container) => container.ports ?? []));
          assert.ok(
            ports.some((port) => port.name === targetPort),
            `${kind} ${metadata.name} leads to port ${targetPort}`,
          );
        }
      }
    });
  }

  test('the storage of the values is that of the API server, with secrets in files only', async () => {
    const storage = async (sets: readonly string[]): Promise<string> => {
      const [, pod] = podsOf(await render(...sets)).find(([owner]) => owner.metadata.name === 'arc-apiserver') ?? assert.fail();
      return pod.spec.containers[0]?.args?.find((arg) => arg.startsWith('--storage='))?.slice('--storage='.length) ?? '';
    };
    const files = 'cafile=/run/secrets/storage/ca.crt&certfile=/run/secrets/storage/tls.crt&keyfile=/run/secrets/storage/tls.key';
    assert.equal(await storage(ownEtcd), `etcd://arc-etcd.zone-a.svc:2379?${files}`);
    assert.equal(await storage(foreignEtcd), `etcd://one:2379,two:2379?${files}`);
    assert.equal(
      await storage(postgres),
      'postgres://a%20r%2Fc@db.example.com:5432/arc?sslmode=verify-full&passwordfile=/run/secrets/storage/password',
    );
    assert.equal(await storage(['storage.etcd.deploy=false', 'storage.etcd.endpoints={http://one:2379}']), 'etcd://one:2379');
    assert.equal(await storage(['storage.etcd.deploy=false', 'storage.etcd.endpoints={https://one:2379}']), 'etcd://one:2379?tls=true');
  });

  test('the number of API servers is that of the values, or an autoscaler of CPU has it in its hands alone', async () => {
    const partsOf = async (...sets: readonly string[]): Promise<readonly unknown[]> => {
      const objects = await render(...sets);
      const of = (kind: string): Rendered | undefined =>
        objects.find((object) => object.kind === kind && object.metadata.name === 'arc-apiserver');
      return [of('Deployment')?.spec?.['replicas'], of('HorizontalPodAutoscaler')?.spec];
    };
    assert.deepEqual(await partsOf('apiserver.replicaCount=3'), [3, undefined]);
    const [replicas, autoscaler] = await partsOf('apiserver.autoscaling.enabled=true', 'apiserver.autoscaling.maxReplicas=4');
    assert.equal(replicas, undefined);
    assert.deepEqual(autoscaler, {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'arc-apiserver' },
      ...{ minReplicas: 2, maxReplicas: 4 },
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 600 } } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: 'Pods', value: 1, periodSeconds: 120 }] } },
    });
  });

  const contradictions: Readonly<Record<string, readonly [readonly string[], RegExp]>> = {
    'PostgreSQL without a host': [['storage.backend=postgresql'], /storage\.postgresql\.host is empty: name the host/],
    'PostgreSQL without a password': [
      ['storage.backend=postgresql', 'storage.postgresql.host=db'],
      /passwordSecretName is empty: name the Secret/,
    ],
    'PostgreSQL and an etcd': [[...postgres, 'storage.etcd.endpoints={https://one:2379}'], /names an etcd: choose one of them/],
    'etcd and a database': [['storage.postgresql.host=db'], /names a database: set storage\.backend to postgresql/],
    'two etcds': [['storage.etcd.endpoints={https://one:2379}'], /set deploy to false to use that/],
    'foreign certificates for the own etcd': [['storage.etcd.tlsSecretName=etcd'], /leave storage\.etcd\.tlsSecretName empty/],
    'no etcd': [['storage.etcd.deploy=false'], /but there is none: set storage\.etcd\.deploy to true/],
    'mixed endpoints': [
      ['storage.etcd.deploy=false', 'storage.etcd.endpoints={http://one:2379,https://two:2379}'],
      /mixes http:\/\/ and https:/,
    ],
    'certificates without TLS': [
      ['storage.etcd.deploy=false', 'storage.etcd.endpoints={http://one:2379}', 'storage.etcd.tlsSecretName=x'],
      /write https:\/\/, or leave the name empty/,
    ],
    'fewer replicas at most than at least': [
      ['apiserver.autoscaling.enabled=true', 'apiserver.replicaCount=6'],
      /autoscaling\.maxReplicas is less than apiserver\.replicaCount/,
    ],
    'autoscaling from nothing': [['apiserver.autoscaling.enabled=true', 'apiserver.replicaCount=0'], /replicaCount, which is 0/],
    'autoscaling by a share of nothing': [
      ['apiserver.autoscaling.enabled=true', 'apiserver.resources.requests.cpu='],
      /resources\.requests\.cpu is empty/,
    ],
    'an even number of members': [['etcd.replicaCount=2'], /replicaCount/],
    'a misspelt value': [['apiserver.replicas=3'], /replicas/],
    'an unknown backend': [['storage.backend=mysql'], /backend/],
    'a label that tells parts apart': [['commonLabels.app\\.kubernetes\\.io/component=x'], /commonLabels sets/],
  };
  for (const [name, [sets, message]] of Object.entries(contradictions)) {
    test(`${name} is refused with a sentence`, async () => {
      const { code, stderr } = await template(...sets.flatMap((set) => ['--set', set]));
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    });
  }

  test('helm lint finds nothing, and deploy/arc.yaml is what the chart renders', async () => {
    assert.ok(helm !== undefined);
    const lint = await runCommand(helm, ['lint', 'charts/arc', '--strict'], { cwd: root });
    assert.equal(lint.code, 0, lint.stdout + lint.stderr);
    const args = ['template', 'arc', 'charts/arc', '--namespace', 'arc-system', '--set', 'certificates.source=cert-manager'];
    const { stdout } = await runCommand(helm, args, { cwd: root });
    const written = await readFile(new URL('../../deploy/arc.yaml', import.meta.url), 'utf8');
    const [first = ''] = written.split('\n');
    assert.equal(
      written.split('\n').slice(2).join('\n'),
      stdout,
      `deploy/arc.yaml is stale; its first line says how it is rendered: ${first}`,
    );
  });
});

/** That the program takes the flags it is given: it says what is wrong with its command line before anything else. */
async function assertFlags({ name, args = [] }: Container): Promise<void> {
  const program = {
    apiserver: 'apiserver/bin/arc-apiserver.mjs',
    'controller-manager': 'controller-manager/bin/arc-controller-manager.mjs',
  }[name];
  if (program === undefined) return;
  for (const arg of args) if (arg.startsWith('--storage=')) parseStorageUrl(arg.slice('--storage='.length));
  const { stderr } = await runCommand(process.execPath, [`${root}apps/${program}`, ...args], {
    env: { KUBECONFIG: undefined, KUBERNETES_SERVICE_HOST: undefined },
  });
  assert.match(stderr, /NoCluster/, `${name} ${args.join(' ')}`);
}
