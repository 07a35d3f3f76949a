import { arcGroup, arcKinds, arcVersion } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import { ApiStatusError, isStatusReason } from '@arc/apimachinery';
import { ArcError, messageOf } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

interface RequiredApi {
  readonly groupVersion: string;
  readonly plurals: readonly string[];
  /** What to do when the API server knows nothing of it. */
  readonly absent: string;
  /** What to do when it knows of it and nobody answers. */
  readonly unanswered: string;
}

const argoVersion = `${workflows.group}/${workflows.version}`;

const required: readonly RequiredApi[] = [
  {
    groupVersion: `${arcGroup}/${arcVersion}`,
    plurals: arcKinds.map(({ names }) => names.plural),
    absent: `Install ARC's API server and its APIService ${arcVersion}.${arcGroup}.`,
    unanswered: `See what "kubectl describe apiservice ${arcVersion}.${arcGroup}" says, and the log of arc-apiserver.`,
  },
  {
    groupVersion: argoVersion,
    plurals: [workflows.plural, cronWorkflows.plural],
    absent: 'Install Argo Workflows 3.7 or newer with its CustomResourceDefinitions.',
    unanswered: 'See what "kubectl get crd workflows.argoproj.io -o yaml" says in its status.',
  },
];

/**
 * Checks that the API server serves what the controllers work with.
 *
 * @throws ArcError `ApiMissing`, `ApiUnavailable`; ConnectionError and ApiStatusError when the API server itself does not answer or
 * knows nobody of that name
 */
export async function assertApis(client: Pick<KubeClient, 'raw'>, server: string, signal: AbortSignal): Promise<void> {
  for (const api of required) {
    const served = await servedBy(client, api, server, signal);
    const missing = api.plurals.filter((plural) => !served.has(plural));
    if (missing.length === 0) continue;
    throw new ArcError('ApiMissing', `${server} serves ${api.groupVersion} without ${missing.join(', ')}`, { hint: api.absent });
  }
}

async function servedBy(
  client: Pick<KubeClient, 'raw'>,
  { groupVersion, absent, unanswered }: RequiredApi,
  server: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  try {
    const { body } = await client.raw({ path: `/apis/${groupVersion}`, headers: { accept: 'application/json' }, signal });
    const text = Buffer.concat(await Array.fromAsync(body)).toString('utf8');
    const { resources = [] } = JSON.parse(text) as { readonly resources?: readonly { readonly name: string }[] };
    return new Set(resources.map(({ name }) => name));
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) {
      throw new ArcError('ApiMissing', `${server} does not serve ${groupVersion}`, { hint: absent, cause: error });
    }
    if (error instanceof ApiStatusError && error.httpCode === 503) {
      throw new ArcError('ApiUnavailable', `${server} gets no answer about ${groupVersion}: ${messageOf(error)}`, {
        hint: unanswered,
        retryable: true,
        cause: error,
      });
    }
    throw error;
  }
}
