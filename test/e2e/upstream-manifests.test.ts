import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import type { CronWorkflow, Workflow, WorkflowSpec } from '@arc/api/argo';
import { eventually, findKubectls, kubectlRunner } from '@arc/testkit';
import { startWorld } from './support/world.ts';

const namespace = 'default';
const kubectls = await findKubectls();
/** The oldest and the newest: what they check before they send anything differs most. */
const tried = [...new Set([kubectls[0], kubectls.at(-1)])].filter((kubectl) => kubectl !== undefined);

function parametersOf(spec: WorkflowSpec): Record<string, unknown> {
  return Object.fromEntries((spec.arguments?.parameters ?? []).map(({ name, value }) => [name, value]));
}

/** The documented parameters of each artifact, by Order and index. */
const documented: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'images/0': {
    cron: 'false',
    dryRun: 'false',
    dstRemoteURL: 'https://registry.zone.invalid',
    dstSecret: 'false',
    dstType: 'oci',
    scanSeverity: 'HIGH,CRITICAL',
    specImage: 'library/alpine:3.18',
    specJSON: '{"image":"library/alpine:3.18","override":"platform/alpine:3.18"}',
    specOverride: 'platform/alpine:3.18',
    srcRemoteURL: 'quay.invalid',
    srcSecret: 'true',
    srcType: 'oci',
  },
  'images/1': {
    cron: 'true',
    dryRun: 'false',
    dstRemoteURL: 'https://registry.zone.invalid',
    dstSecret: 'false',
    dstType: 'oci',
    scanSeverity: 'HIGH,CRITICAL',
    specImage: 'library/busybox:latest',
    specJSON: '{"image":"library/busybox:latest","override":""}',
    srcRemoteURL: 'quay.invalid',
    srcSecret: 'true',
    srcType: 'oci',
  },
  'charts/0': {
    cron: 'false',
    dryRun: 'false',
    dstRemoteURL: 'https://registry.zone.invalid/charts',
    dstSecret: 'false',
    dstType: 'oci',
    specJSON: '{"name":"ingress-nginx","override":{"repository":"platform/ingress-nginx","tag":""},"tags":[],"version":"4.13.0"}',
    specName: 'ingress-nginx',
    specOverrideRepository: 'platform/ingress-nginx',
    specVersion: '4.13.0',
    srcRemoteURL: 'https://charts.invalid/stable',
    srcSecret: 'false',
    srcType: 'helm',
  },
  'files/0': {
    cron: 'false',
    dryRun: 'false',
    dstRemoteURL: 'https://minio.zone.invalid',
    dstSecret: 'true',
    dstType: 's3',
    specBucket: 'inbox',
    specHeaders0Name: 'accept',
    specHeaders0Value: 'application/octet-stream',
    specJSON:
      '{"bucket":"inbox","headers":[{"name":"accept","value":"application/octet-stream"}],"key":"releases/tool-1.0.tar.gz","quotaBytes":10485760}',
    specKey: 'releases/tool-1.0.tar.gz',
    specQuotaBytes: '10485760',
    srcRemoteURL: 'https://downloads.invalid',
    srcSecret: 'false',
    srcType: 'http',
  },
};

if (tried.length === 0) test('manifests of upstream', { skip: 'no kubectl of 1.27 or newer on this machine' }, () => {});

for (const kubectl of tried) {
  describe(`manifests written for upstream, with kubectl ${kubectl.minor}`, () => {
    test('are accepted as they are, and become Workflows with the documented parameters and volumes', async () => {
      await using world = await startWorld({ args: ['--endpoint-probes', 'off'] });
      const { client } = world;
      const run = kubectlRunner(kubectl, world.arc.kubeconfig);
      for (const name of ['oci', 'helm', 'blob']) {
        const file = fileURLToPath(new URL(`./upstream/${name}.yaml`, import.meta.url));
        for (const outcome of ['created', 'unchanged']) {
          const applied = await run(['apply', '-f', file]);
          assert.equal(applied.code, 0, applied.stderr);
          assert.equal(
            applied.stderr,
            name === 'oci' && outcome === 'created' ? 'Warning: spec.ttl removes the Order, and with it its schedules\n' : '',
          );
          for (const line of applied.stdout.trim().split('\n')) {
            // kubectl sends again what it cannot compare: `stringData`, which is no field of what is stored, and nulls, which it leaves out then.
            const isSentAgain = line.startsWith('secret/') || line.startsWith('order.arc.opendefense.cloud/charts ');
            assert.match(line, isSentAgain ? / (?:created|configured|unchanged)$/ : new RegExp(` ${outcome}$`));
          }
        }
      }
      const made = new Map<string, WorkflowSpec>();
      await eventually(
        async () => {
          const runs = (await client.list<Workflow>(workflows, { namespace })).items;
          const schedules = (await client.list<CronWorkflow>(cronWorkflows, { namespace })).items;
          for (const order of (await client.list<Order>(orders, { namespace })).items) {
            for (const { artifactIndex, name } of Object.values(order.status?.artifactWorkflows ?? {})) {
              const owned = ({ metadata }: Workflow | CronWorkflow): boolean =>
                metadata.ownerReferences?.some((owner) => owner.name === name) === true;
              const spec = runs.find(owned)?.spec ?? schedules.find(owned)?.spec.workflowSpec;
              if (spec !== undefined) made.set(`${order.metadata.name}/${artifactIndex}`, spec);
            }
          }
          return made.size === Object.keys(documented).length;
        },
        { what: 'a Workflow of each artifact', timeoutMs: 30_000 },
      );
      assert.equal((await client.list<Workflow>(workflows, { namespace })).items.length, 3, 'none ran again because it was applied again');
      for (const [which, parameters] of Object.entries(documented))
        assert.deepEqual(parametersOf(made.get(which) ?? {}), parameters, which);
      assert.deepEqual(made.get('images/0')?.workflowTemplateRef, { name: 'oci-image-pipeline', clusterScope: true });
      assert.deepEqual(made.get('files/0')?.workflowTemplateRef, { name: 'blob-pipeline', clusterScope: true });
      assert.deepEqual(made.get('images/0')?.volumes, [
        { name: 'src-secret-vol', secret: { secretName: 'quay-credentials' } },
        { name: 'dst-secret-vol', emptyDir: {} },
      ]);
      const [cron] = (await client.list<CronWorkflow>(cronWorkflows, { namespace })).items;
      const { schedules, timezone, concurrencyPolicy, startingDeadlineSeconds } = cron?.spec ?? {};
      assert.deepEqual(
        [schedules, timezone, concurrencyPolicy, startingDeadlineSeconds],
        [['0 3 * * *', '@weekly'], 'Europe/Berlin', 'Forbid', 300],
      );
      const listed = await run(['get', 'arc', '-n', namespace]);
      for (const shown of [
        'order.arc.opendefense.cloud/images',
        'endpoint.arc.opendefense.cloud/quay',
        'artifacttype.arc.opendefense.cloud/helm',
      ]) {
        assert.ok(listed.stdout.includes(shown), `kubectl get arc shows ${shown}\n${listed.stdout}`);
      }
    });
  });
}
