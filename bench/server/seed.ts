import type { Store, WriteItem } from '@arc/storage';
import { cutTemplate, digestOf, fillTemplate, objectName } from '../load/object-template.ts';
import { storedPrefix } from './order-sample.ts';

export interface Seed {
  /** An object as the server served it, made from the load's template for the given index. */
  readonly sample: string;
  readonly sampleIndex: number;
  readonly objects: number;
}

const batchSize = 500;

/**
 * Puts objects into a store as an API server would have written them, without one: a million of them through the API would
 * take longer than everything that is measured on them.
 */
export async function seedStore(store: Store, { sample, sampleIndex, objects }: Seed): Promise<void> {
  const template = storedTemplate(sample, sampleIndex);
  // Two batches under way, so that neither the store nor its database waits for the other.
  const committing: Promise<unknown>[] = [];
  for (let first = 0; first < objects; first += batchSize) {
    const batch: WriteItem[] = [];
    for (let index = first; index < Math.min(first + batchSize, objects); index += 1) {
      batch.push({ key: `${storedPrefix}${objectName(index)}`, expect: 'absent', value: Buffer.from(fillTemplate(template, index)) });
    }
    committing.push(store.commit(batch));
    if (committing.length > 1) await committing.shift();
  }
  await Promise.all(committing);
}

/** The sample with placeholders again, and as it is stored: without its revision. */
export function storedTemplate(sample: string, sampleIndex: number): ReturnType<typeof cutTemplate> {
  const text = sample
    .trimEnd()
    .replace(/"resourceVersion":"\d+",?/, '')
    .replace(/"uid":"[^"]*"/, '"uid":"@@UID@@"')
    .replace(/"bench\.arc\/group":"[^"]*"/, '"bench.arc/group":"@@GROUP@@"')
    .replace(/"bench\.arc\/tier":"[^"]*"/, '"bench.arc/tier":"@@TIER@@"')
    .replaceAll(digestOf(sampleIndex), '@@DIGEST@@')
    .replace('"phase":"Running"', '"phase":"@@PHASE@@"')
    .replaceAll(objectName(sampleIndex), '@@NAME@@');
  return cutTemplate(text);
}
