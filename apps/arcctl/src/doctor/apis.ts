import { arcGroup, arcVersion } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import { isStatusReason, type KubeObject, type ResourceType } from '@arc/apimachinery/client';
import { messageOf } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import type { Check, Finding, Patient } from './check.ts';

export const apiServices: ResourceType = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  namespaced: false,
};

export interface APIService extends KubeObject {
  readonly spec?: { readonly caBundle?: string; readonly service?: { readonly namespace: string; readonly name: string } };
  readonly status?: { readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[] };
}

export const apiServiceName = `${arcVersion}.${arcGroup}`;

/** What to do about each reason for which an APIService is not available (wire contract A4). */
const remedies: Readonly<Record<string, (service: string) => string>> = {
  ServiceNotFound: (service) => `The Service ${service} is gone: helm upgrade makes it anew.`,
  ServicePortError: (service) => `The Service ${service} has another port than the APIService names: helm upgrade mends both.`,
  ServiceAccessError: (service) => `The control plane could not read the Service ${service}: look at its log.`,
  EndpointsNotFound: (service) => `No pod is behind the Service ${service}: is its Deployment scaled to 0, or are its pods not made?`,
  EndpointsAccessError: (service) => `The control plane could not read the endpoints of ${service}: look at its log.`,
  MissingEndpoints: (service) => `No pod behind the Service ${service} is ready: its log, and /readyz of a pod, say what it waits for.`,
};

/** The APIService that leads to ARC's API server. */
export const apiServiceCheck: Check = {
  id: 'apiservice',
  title: 'APIService',
  inClusters: true,
  async look({ client, signal }) {
    const found = await orUndefined(client.get<APIService>(apiServices, { name: apiServiceName }, { signal }));
    if (found === undefined) {
      return [
        {
          verdict: 'failed',
          seen: `there is no APIService ${apiServiceName}`,
          remedy: 'Install the chart charts/arc, or apply deploy/arc.yaml.',
        },
      ];
    }
    const service = `${found.spec?.service?.namespace ?? '?'}/${found.spec?.service?.name ?? '?'}`;
    const available = found.status?.conditions?.find(({ type }) => type === 'Available');
    if (available?.status === 'True') return [{ verdict: 'ok', seen: `${apiServiceName} leads to ${service} and is available` }];
    const { reason = 'Unknown', message = 'nobody has looked at it yet' } = available ?? {};
    return [
      { verdict: 'failed', seen: `${apiServiceName} is not available: ${reason}: ${message}`, remedy: remedyOf(reason, message, service) },
    ];
  },
};

function remedyOf(reason: string, message: string, service: string): string {
  if (message.includes('x509') || message.includes('certificate')) {
    return `It trusts another authority than the one of the server: /readyz of a pod of ${service} says at "serving-certificate" why, or cert-manager has not injected its own.`;
  }
  if (message.includes('bad status')) {
    return `A pod of ${service} answers, but refuses: it may not have read the ConfigMap extension-apiserver-authentication of kube-system yet, see /readyz and the log of the pod.`;
  }
  if (message.includes('connection refused')) {
    return `Nothing listens behind ${service}: look at its pods and their log, and whether its port leads to the one they serve on.`;
  }
  if (reason === 'FailedDiscoveryCheck') {
    return `The control plane does not reach the pods of ${service}: look for network policies and firewalls between it and their port.`;
  }
  return (remedies[reason] ?? ((name) => `Look at the pods behind the Service ${name} and their log.`))(service);
}

export const discoveryCheck: Check = {
  id: 'discovery',
  title: 'APIs',
  look: async (patient) => [
    await served(
      patient,
      `${arcGroup}/${arcVersion}`,
      ['orders', 'artifactworkflows', 'endpoints'],
      'Install ARC, or see what its APIService says.',
    ),
    await served(
      patient,
      `${workflows.group}/${workflows.version}`,
      patient.isStandalone ? [workflows.plural] : [workflows.plural, cronWorkflows.plural],
      'Install Argo Workflows 3.7 or newer with its CustomResourceDefinitions.',
    ),
  ],
};

async function served({ client, signal }: Patient, groupVersion: string, plurals: readonly string[], remedy: string): Promise<Finding> {
  try {
    const { resources = [] } = (await getJson(client, `/apis/${groupVersion}`, signal)) as { resources?: readonly { name: string }[] };
    const missing = plurals.filter((plural) => !resources.some(({ name }) => name === plural));
    if (missing.length === 0) return { verdict: 'ok', seen: `${groupVersion} is served` };
    return { verdict: 'failed', seen: `${groupVersion} is served without ${missing.join(', ')}`, remedy };
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return { verdict: 'failed', seen: `${groupVersion} is not served`, remedy };
    signal.throwIfAborted();
    return { verdict: 'failed', seen: `${groupVersion} gives no answer: ${messageOf(error)}`, remedy };
  }
}

export async function getJson(client: Pick<KubeClient, 'raw'>, path: string, signal: AbortSignal): Promise<unknown> {
  const { body } = await client.raw({ path, headers: { accept: 'application/json' }, signal });
  return JSON.parse(Buffer.concat(await Array.fromAsync(body)).toString('utf8')) as unknown;
}

/** Undefined for what is not there. */
export async function orUndefined<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
