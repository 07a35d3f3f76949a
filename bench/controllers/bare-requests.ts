import { artifactWorkflows, orders } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import type { KubeClient } from '@arc/kube-client';
import type { KubeObject } from '@arc/apimachinery';
import { digestOf, fillTemplate, objectName } from '../load/object-template.ts';
import { namespace } from '../server/order-sample.ts';
import { artifactsPerOrder, orderTo } from './order-scenario.ts';

/** Orders worked on at once, as many as the controllers have workers. */
const workers = 8;

/**
 * What controllers and engine cannot do without, by a client that looks at nothing and decides nothing: an Order, for each artifact an
 * ArtifactWorkflow and a Workflow, and the status of each as it begins and as it has ended.
 */
export async function bareRequests(client: KubeClient, count: number): Promise<void> {
  const template = orderTo('nowhere');
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      await client.create(orders, JSON.parse(fillTemplate(template, index)) as KubeObject);
      await Promise.all(Array.from({ length: artifactsPerOrder }, (_, artifact) => runArtifact(client, index, artifact)));
      await writeStatus(client, orders, objectName(index));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}

async function runArtifact(client: KubeClient, order: number, artifact: number): Promise<void> {
  const name = `${objectName(order)}-${artifact}`;
  const parameters = ['srcType', 'srcRemoteURL', 'dstType', 'dstRemoteURL', 'specImage', 'specJSON'].map((parameter) => ({
    name: parameter,
    value: digestOf(order),
  }));
  const metadata = { namespace, name };
  const workflowTemplateRef = { name: 'bench-pipeline' };
  await client.create(artifactWorkflows, {
    ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'ArtifactWorkflow', metadata },
    spec: { workflowTemplateRef, parameters },
  });
  const workflow = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata,
    spec: { workflowTemplateRef, arguments: { parameters } },
  };
  await client.create(workflows, workflow);
  await writeStatus(client, workflows, name);
  await writeStatus(client, artifactWorkflows, name);
}

async function writeStatus(client: KubeClient, type: typeof orders, name: string): Promise<void> {
  for (const phase of ['Running', 'Succeeded']) {
    await client.patch(type, { namespace, name }, { status: { phase } }, type === workflows ? {} : { subresource: 'status' });
  }
}
