import { failure } from '@arc/apimachinery';
import { messageOf } from '@arc/kernel';
import type { ExceededQuota } from '../access/access-control.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';

/**
 * Lets a namespace have no more objects of a resource than its quotas allow (wire contract 6.7).
 * @param object what is to be created.
 * @throws ApiStatusError 403, or 500 when nobody can say whether there is room.
 */
export async function admitWithinQuota(
  server: ServerContext,
  { type }: ServedResource,
  request: RequestContext,
  {
    name,
    namespace = '',
    dryRun,
  }: { readonly name: string | undefined; readonly namespace?: string | undefined; readonly dryRun: boolean },
): Promise<void> {
  if (server.quotas === undefined || !type.namespaced) return;
  const { group, plural } = type;
  let exceeded: ExceededQuota | undefined;
  try {
    exceeded = await server.quotas.charge({ namespace, group, plural, dryRun }, request.signal);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw failure(
      500,
      'InternalError',
      `Internal error occurred: the quota of namespace ${namespace} cannot be charged: ${messageOf(error)}`,
    );
  }
  if (exceeded === undefined) return;
  const { quota, resource, used, limited } = exceeded;
  const qualified = group === '' ? plural : `${plural}.${group}`;
  throw failure(
    403,
    'Forbidden',
    `${qualified} ${JSON.stringify(name ?? '')} is forbidden: exceeded quota: ${quota}, requested: ${resource}=1, used: ${resource}=${used}, limited: ${resource}=${limited}`,
    { ...(name !== undefined && { name }), ...(group !== '' && { group }), kind: plural },
  );
}
