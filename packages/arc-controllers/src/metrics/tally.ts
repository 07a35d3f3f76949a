import type { KubeObject } from '@arc/apimachinery';
import type { Informer } from '@arc/kube-client';

/**
 * How many objects of an informer there are of each sort, kept by what the informer tells: neither a reconcile nor a scrape looks
 * at all of them. What there is none of is not in the map.
 */
export function tally<T extends KubeObject>(
  informer: Pick<Informer<T>, 'addHandler'>,
  sortOf: (object: T) => string,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const add = (sort: string, by: 1 | -1): void => {
    const count = (counts.get(sort) ?? 0) + by;
    if (count === 0) counts.delete(sort);
    else counts.set(sort, count);
  };
  informer.addHandler({
    added: (object) => add(sortOf(object), 1),
    updated: (object, old) => {
      const sort = sortOf(object);
      const before = sortOf(old);
      if (sort === before) return;
      add(before, -1);
      add(sort, 1);
    },
    deleted: (_last, known) => add(sortOf(known), -1),
  });
  return counts;
}
