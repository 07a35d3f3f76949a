import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, ClusterArtifactType, Endpoint, Order } from '@arc/api/arc';
import { clusterWorkflowTemplates, cronWorkflows, workflows } from '@arc/api/argo';
import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { namespaces, secrets } from '@arc/api/core';
import { decodeYamlDocuments } from '@arc/apimachinery';
import type { KindDefinition, KubeObject } from '@arc/apimachinery';
import type { HandOverSettings } from '@arc/arc-controllers';
import { argoDefinitions, eventually, missingArgoDefinitions } from '@arc/testkit';
import { complaintsOf, publishedKinds } from './support/argo-kinds.ts';
import { namespace, startArgoWorld } from './support/argo-world.ts';
import type { ArgoWorld } from './support/argo-world.ts';

const examples = ['oci', 'helm', 'blob', 'oci-scanned', 'blob-scanned', 'oci-known-tools'] as const;
const labels = { 'kueue.x-k8s.io/queue-name': 'transfers', 'kueue.x-k8s.io/priority-class': 'urgent', team: 'a' };
const cron = {
  schedules: ['0 3 * * *', '30 15 * * 1'],
  timezone: 'Europe/Berlin',
  concurrencyPolicy: 'Replace',
  startingDeadlineSeconds: 60,
  when: '{{= cronworkflow.lastScheduledTime == nil }}',
};
const longestName = `${'order-of-'.repeat(25)}mine`;

async function documents(folder: string, file: string): Promise<readonly KubeObject[]> {
  const text = await readFile(fileURLToPath(new URL(`../../examples/${folder}/${file}.yaml`, import.meta.url)), 'utf8');
  return decodeYamlDocuments(text).map(({ value }) => value as unknown as KubeObject);
}

/** The Orders of all examples, once as they are and once scheduled, with credentials on one side and rendered configuration. */
async function orderEverything({ client }: ArgoWorld): Promise<void> {
  await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'login' }, data: { token: 'c2VjcmV0' } });
  await client.patch(
    namespaces,
    { name: namespace },
    { metadata: { annotations: { 'arc.opendefense.cloud/service-account': 'transfers' } } },
  );
  for (const folder of examples) {
    for (const template of await documents(folder, 'cluster-workflow-template')) await client.create(clusterWorkflowTemplates, template);
    for (const type of (await documents(folder, 'artifact-type')) as readonly ClusterArtifactType[]) {
      await client.create(clusterArtifactTypes, { ...type, spec: { ...type.spec, renderConfig: true } } as KubeObject);
    }
    const endpointsOfFolder = folder.includes('-') ? [] : await documents(folder, 'endpoints');
    for (const endpoint of endpointsOfFolder as readonly Endpoint[]) {
      const secretRef = endpoint.spec?.usage === 'PushOnly' ? { secretRef: { name: 'login' } } : {};
      await client.create(endpoints, {
        ...endpoint,
        metadata: { ...endpoint.metadata, namespace },
        spec: { ...endpoint.spec, ...secretRef },
      } as KubeObject);
    }
    for (const { spec } of (await documents(folder, 'order')) as readonly Order[]) {
      const order = (name: string, more: object): KubeObject =>
        ({
          ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'Order' },
          metadata: { namespace, name, labels },
          spec: { ...spec, priority: 7, ...more },
        }) as KubeObject;
      await client.create(orders, order(`${longestName}-${folder}`, {}));
      await client.create(orders, order(`${folder}-scheduled`, { defaults: { ...spec?.defaults, cron } }));
    }
  }
}

interface Made {
  readonly workflows: readonly Workflow[];
  readonly crons: readonly CronWorkflow[];
}

async function makeEverything(handOver: HandOverSettings): Promise<Made> {
  await using world = await startArgoWorld({ handOver });
  await orderEverything(world);
  const { client } = world;
  return await eventually(
    async () => {
      const runs = (await client.list<ArtifactWorkflow>(artifactWorkflows)).items;
      const made = {
        workflows: (await client.list<Workflow>(workflows)).items,
        crons: (await client.list<CronWorkflow>(cronWorkflows)).items,
      };
      return runs.length >= 6 && made.workflows.length + made.crons.length === runs.length && made;
    },
    { what: 'a Workflow or CronWorkflow of every run' },
  );
}

const missing = missingArgoDefinitions() ?? false;

describe('what is handed over fits the definitions that Argo publishes', { skip: missing }, () => {
  const handOvers: Readonly<Record<string, HandOverSettings>> = {
    'with volumes from the Workflow': { instanceId: 'zone-a', serviceAccountName: 'arc-workflow' },
    'with volumes from the template': { volumesFrom: 'template' },
  };
  for (const [how, handOver] of Object.entries(handOvers)) {
    test(`Workflows and CronWorkflows ${how}`, async () => {
      const made = await makeEverything(handOver);
      assert.equal(made.crons.length, made.workflows.length);
      for (const definitions of argoDefinitions()) {
        const kinds = await publishedKinds(definitions);
        for (const object of [...made.workflows, ...made.crons]) {
          assert.deepEqual(complaintsOf(object, kinds), [], `${object.kind} ${object.metadata.name} in Argo ${definitions.version}`);
        }
      }
      for (const { kind, metadata, spec } of [...made.workflows, ...made.crons]) {
        assert.ok((metadata.name ?? '').length <= (kind === 'Workflow' ? 63 : 52), metadata.name);
        const own = ('workflowSpec' in spec ? spec.workflowSpec : spec) as Workflow['spec'];
        assert.equal(own.priority, 7);
        if (handOver.volumesFrom === 'template') {
          // Runs of schedules begin suspended.
          const allowed = ['arguments', 'priority', ...(kind === 'Workflow' ? [] : ['suspend']), 'workflowTemplateRef'];
          assert.deepEqual(Object.keys(own).sort(), allowed, 'nothing that templateReferencing Strict refuses');
          const value = (name: string): unknown => own.arguments?.parameters?.find((parameter) => parameter.name === name)?.value;
          assert.equal(value('dstSecretName'), 'login');
          assert.match(String(value('srcSecretName')), /-none$/);
          assert.match(String(value('configSecretName')), /-config$/);
          assert.equal(value('queueName'), 'transfers');
          assert.equal(value('queuePriorityClass'), 'urgent');
        } else {
          assert.equal(own.serviceAccountName, 'transfers', 'that of the namespace wins');
          assert.equal(metadata.labels?.['workflows.argoproj.io/controller-instanceid'], 'zone-a');
          const { team: _team, ...queue } = labels;
          assert.deepEqual(own.podMetadata, { labels: queue });
          assert.deepEqual(
            own.volumes?.map(({ name }) => name),
            ['src-secret-vol', 'dst-secret-vol', 'config-vol'],
          );
        }
      }
    });
  }

  test('the templates of the examples', async () => {
    for (const definitions of argoDefinitions()) {
      const kinds = await publishedKinds(definitions);
      for (const folder of examples) {
        for (const template of await documents(folder, 'cluster-workflow-template')) {
          assert.deepEqual(complaintsOf(template, kinds), [], `${folder} in Argo ${definitions.version}`);
        }
      }
    }
  });

  test('what does not fit is noticed', async () => {
    const [definitions] = argoDefinitions();
    assert.ok(definitions !== undefined);
    const kinds: readonly KindDefinition[] = await publishedKinds(definitions);
    const wrong = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', metadata: { name: 'w' }, spec: { volume: [], priority: 'high' } };
    assert.deepEqual(complaintsOf(wrong as KubeObject, kinds).length, 2);
  });
});
