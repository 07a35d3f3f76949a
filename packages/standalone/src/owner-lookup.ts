import type { KubeObject, OwnerReference } from '@arc/apimachinery';
import { isStatusReason } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import type { KnownObject, MetadataInformers } from './metadata-informers.ts';

/** `absent`: surely gone. `unknown`: cannot be looked up, so nothing may be concluded. */
export type Owner = KubeObject | 'absent' | 'unknown';

/** Enough for the dependents of one big owner to share a single live look. */
const maxRemembered = 1000;

/** Looks owners up: in the informers first, and live before anything is believed to be gone (wire contract 3.3). */
export function createOwnerLookup(
  client: KubeClient,
  metadata: MetadataInformers,
): { find(reference: OwnerReference, dependent: KnownObject, signal: AbortSignal): Promise<Owner> } {
  // A uid is never used again, so what is gone stays gone; the coordinates count because a reference may lie about them.
  const gone = new Set<string>();

  return {
    async find(reference, dependent, signal) {
      const { uid, name } = reference;
      const type = metadata.typeOf(reference);
      if (type === undefined) return 'unknown';
      const { namespace } = dependent.object.metadata;
      // A cluster-scoped object cannot be owned by a namespaced one: which namespace would that be in?
      if (type.namespaced && namespace === undefined) return 'unknown';
      const ref = { name, ...(type.namespaced && namespace !== undefined && { namespace }) };
      const known = metadata.informerOf(type).get(ref.namespace, name);
      if (known?.metadata.uid === uid) return known;
      const identity = JSON.stringify([type.group, type.plural, ref.namespace, name, uid]);
      if (gone.has(identity)) return 'absent';
      try {
        const live = await client.get<KubeObject>(type, ref, { signal });
        if (live.metadata.uid === uid) return live;
      } catch (error) {
        if (!isStatusReason(error, 'NotFound')) throw error;
      }
      if (gone.size >= maxRemembered) gone.clear();
      gone.add(identity);
      return 'absent';
    },
  };
}
