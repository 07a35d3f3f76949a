import { namespaces } from '@arc/api/core';
import type { Namespace } from '@arc/api/core';
import type { NamespaceLookup, NamespaceState } from '@arc/apiserver';
import type { Clock } from '@arc/kernel';
import type { Informer, KubeClient } from '@arc/kube-client';
import { readIfThere } from '@arc/kube-client';

/** What a watch that is a little behind gets before the core API is asked. */
const patienceMs = 50;
/** For how long a namespace that was deleted is looked up instead of believed. */
const suspiciousMs = 30_000;

/**
 * The namespaces of a cluster as a watch shows them (wire contract 3.5). Before one is called missing the core API is asked,
 * and again for a while after one was deleted.
 */
export function clusterNamespaces(client: Pick<KubeClient, 'get'>, informer: Informer<Namespace>, clock: Clock): NamespaceLookup {
  const deleted = new Map<string, number>();
  informer.addHandler({
    deleted: ({ metadata: { name = '' } }) => {
      const now = clock.now();
      for (const [known, at] of deleted) if (now - at > suspiciousMs) deleted.delete(known);
      deleted.set(name, now);
    },
  });
  const watched = (name: string): Namespace | undefined => {
    const at = deleted.get(name);
    return at !== undefined && clock.now() - at <= suspiciousMs ? undefined : informer.get(undefined, name);
  };
  return {
    async find(name, signal) {
      let found = watched(name);
      if (found === undefined) {
        await clock.sleep(patienceMs, signal);
        found = watched(name) ?? (await readIfThere<Namespace>(client, namespaces, { name }, signal));
      }
      return found === undefined ? undefined : stateOf(found);
    },
  };
}

function stateOf({ metadata, status }: Namespace): NamespaceState {
  return { terminating: status?.phase === 'Terminating' || (metadata.deletionTimestamp ?? undefined) !== undefined };
}
