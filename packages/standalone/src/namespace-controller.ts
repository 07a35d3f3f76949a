import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { deepEqual, isStatusReason } from '@arc/apimachinery';
import { namespaceFinalizer, namespaces } from '@arc/api/core';
import type { Namespace } from '@arc/api/core';
import type { ControllerDefinition, ControllerSource, ReconcileResult } from '@arc/controller';
import type { Clock } from '@arc/kernel';
import { messageOf, silentLogger, systemClock } from '@arc/kernel';
import type { Informer, KubeClient } from '@arc/kube-client';
import { createInformer } from '@arc/kube-client';
import { createMetadataInformers } from './metadata-informers.ts';
import type { MetadataInformers, MetadataInformersOptions } from './metadata-informers.ts';
import { deletionConditions } from './namespace-conditions.ts';
import type { NamespaceContent } from './namespace-conditions.ts';

export interface NamespaceControllerOptions extends MetadataInformersOptions {
  /** Shared with other controllers. Default: own ones of `types`. */
  readonly metadata?: MetadataInformers;
}

/** The events of what remains bring the controller back; this is for content that changes without one. */
const lookAgainMs = 15_000;

/**
 * Empties namespaces that are being deleted and then lets them go, as kube-controller-manager does in a cluster (wire
 * contract 3.3): deletecollection per namespaced resource, until consistent lists find nothing; meanwhile the status says
 * what remains and which finalizers hold it. The last step is PUT `/api/v1/namespaces/NAME/finalize`.
 */
export function namespaceController(options: NamespaceControllerOptions): ControllerDefinition {
  const { client, clock = systemClock, metadata = createMetadataInformers(options) } = options;
  const logger = (options.logger ?? silentLogger).child({ component: 'namespace-controller' });
  const namespaced = metadata.types.filter((type) => type.namespaced);
  const informer = createInformer<Namespace>(client, namespaces, { logger, clock });

  async function reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const namespace = informer.get(undefined, name);
    if (namespace === undefined || !terminates(namespace)) return undefined;
    const contents = await Promise.all(namespaced.map((type) => emptied(client, metadata, type, name, signal)));
    await writeConditions(client, namespace, contents, clock, signal);
    const failed = contents.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw failed.error;
    if (contents.some(({ count }) => count > 0)) return { requeueAfterMs: lookAgainMs };
    await finalize(client, name, signal);
    logger.info('namespace deleted', { name });
    return undefined;
  }

  const contentOf = (type: ResourceType): ControllerSource => ({
    informer: metadata.informerOf(type),
    changed: () => false,
    requests: (object) => (terminates(namespaceOf(object, informer)) ? [{ name: object.metadata.namespace ?? '' }] : []),
  });

  return {
    name: 'namespace',
    workers: 2,
    sources: [{ informer }, ...namespaced.map(contentOf)],
    reconcile: ({ name }, signal) => reconcile(name, signal),
  };
}

function namespaceOf(object: KubeObject, informer: Informer<Namespace>): Namespace | undefined {
  return informer.get(undefined, object.metadata.namespace ?? '');
}

function terminates(namespace: Namespace | undefined): boolean {
  return namespace?.metadata.deletionTimestamp !== undefined && namespace.spec?.finalizers?.includes(namespaceFinalizer) === true;
}

/** Deletes what the namespace holds of one resource and tells what is left; a failure is part of the answer. */
async function emptied(
  client: KubeClient,
  metadata: MetadataInformers,
  type: ResourceType,
  namespace: string,
  signal: AbortSignal,
): Promise<NamespaceContent> {
  try {
    const known = metadata.informerOf(type).list(namespace);
    if (known.length === 0 && (await client.list(type, { namespace, limit: 1, metadataOnly: true, signal })).items.length === 0) {
      return { type, count: 0, finalizers: [] };
    }
    if (known.length === 0 || known.some((object) => object.metadata.deletionTimestamp === undefined)) {
      await client.deleteCollection(type, { namespace, propagationPolicy: 'Background', signal });
    }
    const { items, metadata: page } = await client.list(type, { namespace, limit: 500, metadataOnly: true, signal });
    return {
      type,
      count: items.length + (page.remainingItemCount ?? 0),
      finalizers: items.flatMap((item) => item.metadata.finalizers ?? []),
    };
  } catch (error) {
    return { type, count: 0, finalizers: [], error };
  }
}

async function writeConditions(
  client: KubeClient,
  namespace: Namespace,
  contents: readonly NamespaceContent[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const present = namespace.status?.conditions ?? [];
  const remains = contents.some(({ count, error }) => count > 0 || error !== undefined);
  // A namespace that is emptied at the first attempt needs no explanation of why it is still there.
  if (!remains && present.length === 0) return;
  const conditions = deletionConditions(present, contents, new Date(clock.now()), messageOf);
  if (deepEqual(conditions, present)) return;
  try {
    await client.patch(namespaces, { name: namespace.metadata.name ?? '' }, { status: { conditions } }, { subresource: 'status', signal });
  } catch (error) {
    if (!isStatusReason(error, 'NotFound')) throw error;
  }
}

async function finalize(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  try {
    const namespace = await client.get<Namespace>(namespaces, { name }, { signal });
    if (!terminates(namespace)) return;
    const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== namespaceFinalizer);
    const { body } = await client.raw({
      method: 'PUT',
      path: `/api/v1/namespaces/${encodeURIComponent(name)}/finalize`,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ ...namespace, spec: { ...namespace.spec, finalizers } }),
      signal,
    });
    for await (const _chunk of body);
  } catch (error) {
    if (!isStatusReason(error, 'NotFound')) throw error;
  }
}
