import type { KubeObject } from '@arc/apimachinery';
import type { Informer } from '@arc/kube-client';

/** A local copy that never learns anything: what a reconciler may see when its informer is late. */
export function frozenInformer<T extends KubeObject>(
  objects: readonly T[],
  indexes: Record<string, (object: T) => string> = {},
): Informer<T> {
  return {
    run: () => Promise.resolve(),
    synced: () => Promise.resolve(),
    addHandler: () => {},
    get: (namespace, name) => objects.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    list: () => objects,
    byIndex: (index, value) => objects.filter((object) => indexes[index]?.(object) === value),
  };
}
