import type { KubeObject, OwnerReference } from '@arc/apimachinery';
import { isStatusReason } from '@arc/apimachinery';
import type { ControllerDefinition, ControllerSource, ReconcileRequest } from '@arc/controller';
import type { Logger } from '@arc/kernel';
import { silentLogger } from '@arc/kernel';
import type { DeleteOptions, KubeClient, ObjectRef } from '@arc/kube-client';
import { createMetadataInformers } from './metadata-informers.ts';
import type { KnownObject, MetadataInformers, MetadataInformersOptions } from './metadata-informers.ts';
import { createOwnerLookup } from './owner-lookup.ts';

export interface GarbageCollectorOptions extends MetadataInformersOptions {
  /** Shared with other controllers. Default: own ones of `types`. */
  readonly metadata?: MetadataInformers;
  readonly workers?: number;
}

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/**
 * Deletes what is owned by nothing that exists any more, as kube-controller-manager does in a cluster (wire contract 3.3):
 *
 * - background: an object all of whose owners are gone is deleted; a missing owner is believed only after a live look;
 * - `foregroundDeletion` on an owner that is being deleted: its dependents go first, then the finalizer;
 * - `orphan` on an owner that is being deleted: its dependents lose their references to it, then the finalizer goes.
 *
 * Requests are uids. An owner of a kind that is not among `types` cannot be looked up and counts as present. Every write
 * carries the uid or the resourceVersion it was decided on, so a stale view costs a retry, never an object.
 */
export function garbageCollector(options: GarbageCollectorOptions): ControllerDefinition {
  const { client, workers = 8, metadata = createMetadataInformers(options) } = options;
  const logger = (options.logger ?? silentLogger).child({ component: 'garbage-collector' });
  const collector = new Collector(client, metadata, logger);
  return {
    name: 'garbage-collector',
    workers,
    reconcile: async ({ name: uid }, signal) => {
      await collector.collect(uid, signal);
      return undefined;
    },
    sources: metadata.types.map((type): ControllerSource => ({
      informer: metadata.informerOf(type),
      changed: ownershipChanged,
      requests: (object) => affectedBy(object, metadata),
    })),
  };
}

/** The object itself, owners that wait for it, and, when it is gone or on its way in the foreground, its dependents. */
function affectedBy(object: KubeObject, metadata: MetadataInformers): ReconcileRequest[] {
  const { uid = '', ownerReferences = [], deletionTimestamp } = object.metadata;
  const affected: string[] = [];
  const exists = metadata.byUid(uid) !== undefined;
  if (exists && (ownerReferences.length > 0 || deletionTimestamp !== undefined)) affected.push(uid);
  for (const owner of ownerReferences) {
    if (metadata.byUid(owner.uid)?.object.metadata.deletionTimestamp !== undefined) affected.push(owner.uid);
  }
  if (!exists || waitsForDependents(object)) {
    for (const dependent of metadata.dependentsOf(object)) affected.push(uidOf(dependent.object));
  }
  return affected.map((name) => ({ name }));
}

function ownershipChanged({ metadata: now }: KubeObject, { metadata: before }: KubeObject): boolean {
  return (
    now.deletionTimestamp !== before.deletionTimestamp ||
    JSON.stringify(now.finalizers) !== JSON.stringify(before.finalizers) ||
    JSON.stringify(now.ownerReferences) !== JSON.stringify(before.ownerReferences)
  );
}

class Collector {
  readonly #client: KubeClient;
  readonly #metadata: MetadataInformers;
  readonly #logger: Logger;
  readonly #owners: ReturnType<typeof createOwnerLookup>;

  constructor(client: KubeClient, metadata: MetadataInformers, logger: Logger) {
    this.#client = client;
    this.#metadata = metadata;
    this.#logger = logger;
    this.#owners = createOwnerLookup(client, metadata);
  }

  async collect(uid: string, signal: AbortSignal): Promise<void> {
    const item = this.#metadata.byUid(uid);
    if (item === undefined) return;
    const { deletionTimestamp, finalizers = [] } = item.object.metadata;
    if (deletionTimestamp === undefined) return this.#deleteIfUnowned(item, signal);
    if (finalizers.includes(foreground)) return this.#finishForeground(item, signal);
    if (finalizers.includes(orphan)) return this.#orphanDependents(item, signal);
  }

  async #deleteIfUnowned(item: KnownObject, signal: AbortSignal): Promise<void> {
    const references = item.object.metadata.ownerReferences ?? [];
    if (references.length === 0) return;
    const owners = await Promise.all(
      references.map(async (reference) => ({ reference, owner: await this.#owners.find(reference, item, signal) })),
    );
    const keeping = owners.filter(({ owner }) => owner === 'unknown' || (owner !== 'absent' && !waitsForDependents(owner)));
    if (keeping.length === references.length) return;
    if (keeping.length > 0) {
      const kept = keeping.map(({ reference }) => reference);
      await this.#patch(item, { ownerReferences: kept }, signal);
      return;
    }
    const ownerWaits = owners.some(({ owner }) => owner !== 'absent');
    await this.#delete(ownerWaits ? await this.#unblocked(item, signal) : item, ownerWaits, signal);
  }

  /**
   * Owners that own each other in a circle, each waiting for the other in the foreground, would wait for ever: the
   * dependent's references stop blocking.
   */
  async #unblocked(item: KnownObject, signal: AbortSignal): Promise<KnownObject> {
    const references = item.object.metadata.ownerReferences ?? [];
    const circular = this.#metadata.dependentsOf(item.object).some(({ object }) => waitsForDependents(object));
    if (!circular || !references.some(({ blockOwnerDeletion }) => blockOwnerDeletion === true)) return item;
    const ownerReferences = references.map((reference): OwnerReference => ({ ...reference, blockOwnerDeletion: false }));
    return { type: item.type, object: (await this.#patch(item, { ownerReferences }, signal)) ?? item.object };
  }

  async #delete(item: KnownObject, ownerWaits: boolean, signal: AbortSignal): Promise<void> {
    const { uid = '', resourceVersion = '', finalizers = [] } = item.object.metadata;
    const hasDependents = this.#metadata.dependentsOf(item.object).length > 0;
    let propagationPolicy: DeleteOptions['propagationPolicy'] = 'Background';
    if (finalizers.includes(orphan)) propagationPolicy = 'Orphan';
    else if (finalizers.includes(foreground) || (ownerWaits && hasDependents)) propagationPolicy = 'Foreground';
    this.#logger.debug('deleting an object whose owners are gone', { ...describe(item), propagationPolicy });
    await ignoreGone(
      this.#client.delete(item.type, refOf(item.object), { preconditions: { uid, resourceVersion }, propagationPolicy, signal }),
    );
  }

  async #finishForeground(item: KnownObject, signal: AbortSignal): Promise<void> {
    const blocking = this.#metadata
      .dependentsOf(item.object)
      .some(({ object }) => referencesTo(item, object).some(({ blockOwnerDeletion }) => blockOwnerDeletion === true));
    if (blocking) return;
    await this.#removeFinalizer(item, foreground, signal);
  }

  async #orphanDependents(item: KnownObject, signal: AbortSignal): Promise<void> {
    for (const dependent of this.#metadata.dependentsOf(item.object)) {
      const ownerReferences = (dependent.object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== uidOf(item.object));
      await this.#patch(dependent, { ownerReferences }, signal);
    }
    await this.#removeFinalizer(item, orphan, signal);
  }

  async #removeFinalizer(item: KnownObject, finalizer: string, signal: AbortSignal): Promise<void> {
    const finalizers = (item.object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
    this.#logger.debug('dependents are dealt with, removing the finalizer', { ...describe(item), finalizer });
    await this.#patch(item, { finalizers }, signal);
  }

  /** Changes metadata of exactly the revision that was looked at; undefined when the object is gone. */
  #patch(
    item: KnownObject,
    change: { readonly finalizers?: readonly string[]; readonly ownerReferences?: readonly OwnerReference[] },
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const { uid, resourceVersion } = item.object.metadata;
    const patch = { metadata: { uid, resourceVersion, ...change } };
    return ignoreGone(this.#client.patch<KubeObject>(item.type, refOf(item.object), patch, { signal }));
  }
}

async function ignoreGone<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

function referencesTo(owner: KnownObject, dependent: KubeObject): OwnerReference[] {
  return (dependent.metadata.ownerReferences ?? []).filter(({ uid }) => uid === uidOf(owner.object));
}

function waitsForDependents({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(foreground) === true;
}

function uidOf(object: KubeObject): string {
  return object.metadata.uid ?? '';
}

function refOf({ metadata: { namespace, name = '' } }: KubeObject): ObjectRef {
  return { name, ...(namespace !== undefined && { namespace }) };
}

function describe({ type, object }: KnownObject): Record<string, unknown> {
  return { resource: type.plural, ...refOf(object) };
}
