import type { OrderStatus } from '@arc/api/arc';
import { ownValue } from '../metadata/write-status.ts';
import type { Resolution } from '../resolve/resolve-order.ts';

export type RecordedGenerations = Required<Pick<OrderStatus, 'endpointGenerations' | 'secretGenerations' | 'secretDigests'>>;

/**
 * The generations of what an Order uses. Secrets have none of their own: theirs is a number we raise when the keyed digest
 * of their type and data changes. While an artifact waits for something missing, all that was known is kept, so that a
 * Secret which comes back with other content is noticed.
 */
export function recordedGenerations(before: OrderStatus, resolution: Resolution): RecordedGenerations {
  const keep = resolution.unresolved.length > 0;
  const endpointGenerations = new Map(keep ? Object.entries(before.endpointGenerations ?? {}) : []);
  const secretGenerations = new Map(keep ? Object.entries(before.secretGenerations ?? {}) : []);
  const secretDigests = new Map(keep ? Object.entries(before.secretDigests ?? {}) : []);
  for (const run of resolution.runs) {
    for (const { metadata } of run.endpoints) endpointGenerations.set(metadata.name ?? '', metadata.generation ?? 0);
    for (const { metadata, recordedDigest } of run.secrets) {
      const { name = '' } = metadata;
      const generation = ownValue(before.secretGenerations, name) ?? 0;
      const same = generation > 0 && ownValue(before.secretDigests, name) === recordedDigest;
      secretGenerations.set(name, same ? generation : generation + 1);
      secretDigests.set(name, recordedDigest);
    }
  }
  return {
    endpointGenerations: sorted(endpointGenerations),
    secretGenerations: sorted(secretGenerations),
    secretDigests: sorted(secretDigests),
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
