import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { argoKinds, workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import { namespaces } from '@arc/api/core';
import { kueueVersions, workloadsOf } from '@arc/api/kueue';
import type { Workload } from '@arc/api/kueue';
import { decodeYaml } from '@arc/apimachinery';
import type { KubeObject } from '@arc/apimachinery';
import { eventually, findTool } from '@arc/testkit';
import { kindOfDefinition } from './support/argo-kinds.ts';
import { namespace, startArgoWorld } from './support/argo-world.ts';

const definition = findTool('kueue/definitions/kueue.x-k8s.io_workloads.yaml');
const apiVersion = 'arc.opendefense.cloud/v1alpha1';

function refuse(): never {
  throw new Error('no definitions of Kueue');
}

describe(
  'runs wait for a Kueue whose Workloads are served as it publishes them',
  { skip: definition === undefined && 'no definitions of Kueue on this machine: test/tools/kueue/build.sh fetches them with Go' },
  () => {
    for (const version of kueueVersions) {
      test(version, async () => {
        const { value } = decodeYaml(await readFile(definition ?? refuse(), 'utf8'));
        const type = workloadsOf(version);
        await using world = await startArgoWorld({ kinds: [...argoKinds, kindOfDefinition(value, version)], kueue: { version } });
        const { client } = world;
        await client.patch(namespaces, { name: namespace }, { metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'transfers' } } });
        for (const name of ['src', 'dst']) {
          const spec = { type: 'oci', remoteURL: 'https://127.0.0.1:1' };
          await client.create<KubeObject>(endpoints, { ...{ apiVersion, kind: 'Endpoint', metadata: { namespace, name } }, ...{ spec } });
        }
        await client.create<KubeObject>(clusterArtifactTypes, {
          ...{ apiVersion, kind: 'ClusterArtifactType', metadata: { name: 'oci' } },
          ...{ spec: { workflowTemplateRef: { name: 'copy' } } },
        });
        await client.create<KubeObject>(orders, {
          ...{ apiVersion, kind: 'Order', metadata: { namespace, name: 'o' } },
          ...{
            spec: { defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' } }, artifacts: [{ type: 'oci', spec: { image: 'a' } }] },
          },
        });
        const once = async (what: string, holds: (workload: Workload) => boolean): Promise<Workload> =>
          await eventually(async () => (await client.list<Workload>(type)).items.find(holds), { what });
        const is = (kind: string, wanted: string) => (workload: Workload) =>
          workload.status?.conditions?.some((condition) => condition.type === kind && condition.status === wanted) === true;
        const say = async ({ metadata, status }: Workload, said: Readonly<Record<string, 'True' | 'False'>>): Promise<void> => {
          const states = Object.entries(said).map(([kind, state]) => ({
            ...{ type: kind, status: state, reason: 'Preempted', message: 'said so', lastTransitionTime: '2026-01-01T00:00:00Z' },
          }));
          const others = (status?.conditions ?? []).filter((condition) => said[condition.type] === undefined);
          const admission = { clusterQueue: 'all', podSetAssignments: [{ name: 'main', count: 1 }] };
          const body = { status: { admission, conditions: [...others, ...states] } };
          await client.patch(type, { namespace, name: metadata.name ?? '' }, body, { subresource: 'status' });
        };
        const running = async (): Promise<Workflow> =>
          await eventually(async () => (await client.list<Workflow>(workflows)).items[0], { what: 'a Workflow' });

        await say(await once('a Workload', () => true), { QuotaReserved: 'True', Admitted: 'True' });
        const first = await running();
        await say(await once('its admission', is('Admitted', 'True')), { Evicted: 'True' });
        const back = await once('the end of its quota', is('QuotaReserved', 'False'));
        assert.equal(back.status?.admission ?? undefined, undefined);
        assert.deepEqual((await client.list(workflows)).items, []);
        await say(back, { QuotaReserved: 'True', Admitted: 'True', Evicted: 'False' });
        const second = await running();
        assert.notEqual(second.metadata.uid, first.metadata.uid);
        const status = { phase: 'Succeeded', finishedAt: '2026-01-01T00:01:00Z' };
        await client.patch(workflows, { namespace, name: second.metadata.name ?? '' }, { status });
        await once('the end of its run', is('Finished', 'True'));
        const [run] = (await client.list<ArtifactWorkflow>(artifactWorkflows)).items;
        assert.equal(run?.status?.phase, 'Succeeded');
      });
    }
  },
);
