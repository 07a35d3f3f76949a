import { arcGroup, arcKinds, arcVersion } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import { kueueGroup, kueueVersions, workloadPriorityClassesOf, workloadsOf } from '@arc/api/kueue';
import type { KueueVersion } from '@arc/api/kueue';
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
  for (const api of required) await assertApi(client, api, server, signal);
}

/**
 * The version of Kueue's Workloads to use: the newest of those ARC knows that the API server serves.
 *
 * @throws ArcError `ApiMissing`, `ApiUnavailable`; ConnectionError and ApiStatusError as above
 */
export async function assertKueue(client: Pick<KubeClient, 'raw'>, server: string, signal: AbortSignal): Promise<KueueVersion> {
  const absent = 'Install Kueue with its CustomResourceDefinitions, or start with --kueue pods.';
  const unanswered = `See what "kubectl get crd workloads.${kueueGroup} -o yaml" says in its status.`;
  const { versions = [] } = await documentAt<{ readonly versions: readonly { readonly version: string }[] }>(
    client,
    { path: kueueGroup, absent, unanswered },
    server,
    signal,
  );
  const served = versions.map(({ version }) => version);
  const version = kueueVersions.find((known) => served.includes(known));
  if (version === undefined) {
    const [known, others] = [kueueVersions.join(' and '), served.join(', ')];
    throw new ArcError('ApiMissing', `${server} serves ${kueueGroup} in ${others}, and not in ${known}, which ARC knows`, { hint: absent });
  }
  const plurals = [workloadsOf(version).plural, workloadPriorityClassesOf(version).plural];
  await assertApi(client, { groupVersion: `${kueueGroup}/${version}`, plurals, absent, unanswered }, server, signal);
  return version;
}

async function assertApi(
  client: Pick<KubeClient, 'raw'>,
  { groupVersion, plurals, absent, unanswered }: RequiredApi,
  server: string,
  signal: AbortSignal,
): Promise<void> {
  const { resources = [] } = await documentAt<{ readonly resources: readonly { readonly name: string }[] }>(
    client,
    { path: groupVersion, absent, unanswered },
    server,
    signal,
  );
  const served = new Set(resources.map(({ name }) => name));
  const missing = plurals.filter((plural) => !served.has(plural));
  if (missing.length === 0) return;
  throw new ArcError('ApiMissing', `${server} serves ${groupVersion} without ${missing.join(', ')}`, { hint: absent });
}

/** What the API server says about a group or a version of one. */
async function documentAt<T>(
  client: Pick<KubeClient, 'raw'>,
  { path, absent, unanswered }: Pick<RequiredApi, 'absent' | 'unanswered'> & { readonly path: string },
  server: string,
  signal: AbortSignal,
): Promise<Partial<T>> {
  try {
    const { body } = await client.raw({ path: `/apis/${path}`, headers: { accept: 'application/json' }, signal });
    return JSON.parse(Buffer.concat(await Array.fromAsync(body)).toString('utf8')) as Partial<T>;
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) {
      throw new ArcError('ApiMissing', `${server} does not serve ${path}`, { hint: absent, cause: error });
    }
    if (error instanceof ApiStatusError && error.httpCode === 503) {
      throw new ArcError('ApiUnavailable', `${server} gets no answer about ${path}: ${messageOf(error)}`, {
        hint: unanswered,
        retryable: true,
        cause: error,
      });
    }
    throw error;
  }
}
