import { randomUUID } from 'node:crypto';
import type { ObjectMeta } from '@arc/apimachinery';

/** RFC 3339 in UTC with whole seconds, as all times in metadata. */
export function timestamp(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

const setByServer = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'resourceVersion',
] as const;

/** Wipes what only the server may set and sets it, in place (wire contract 2.6). */
export function prepareMetadataForCreate(meta: ObjectMeta, options: { readonly now: number; readonly generation: boolean }): void {
  for (const field of setByServer) delete meta[field];
  meta.uid = randomUUID();
  meta.creationTimestamp = timestamp(options.now);
  if (options.generation) meta.generation = 1;
}

/** Carries over what an update cannot change, in place; a client's value for it is silently dropped (3.1). */
export function prepareMetadataForUpdate(meta: ObjectMeta, old: ObjectMeta): void {
  const kept: Partial<ObjectMeta> = {};
  for (const field of [...setByServer, 'generateName'] as const) {
    delete meta[field];
    Object.assign(kept, old[field] !== undefined && { [field]: old[field] });
  }
  Object.assign(meta, kept);
}
