import { canonicalJson } from '../json/canonical.ts';
import { cloneJson, isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { decodeJson } from '../codec/decode-json.ts';
import type { KubeObject } from '../meta/types.ts';
import type { ApplyType } from './apply-type.ts';
import { compareValues } from './compare-values.ts';
import { difference, emptySet } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';

/** Where client-side `kubectl apply` remembers what it applied. */
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** The only manager that takes part in the migration (wire contract 5.4). */
export const migratingManager = 'kubectl';
const maxAnnotationsBytes = 256 * 1024;

/** The fields client-side apply last set and nobody has changed since: these may be taken over without force (wire contract 5.4). */
export function fieldsOfLastApplied(live: KubeObject, type: ApplyType): FieldSet {
  const config = lastApplied(live);
  if (config === undefined) return emptySet;
  const { added, modified, removed } = compareValues(config, live, type);
  return difference(difference(difference(fieldSetOf(config, type), modified), added), removed);
}

function lastApplied(live: KubeObject): JsonObject | undefined {
  const text = live.metadata.annotations?.[lastAppliedAnnotation];
  if (text === undefined) return undefined;
  try {
    const { value } = decodeJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Rewrites, in place, the annotation of an object that has it, so that a later client-side apply begins from what has now
 * been applied (wire contract 5.4). An object whose annotations grow too large for that loses it.
 */
export function syncLastApplied(object: KubeObject, config: JsonObject): void {
  const { annotations } = object.metadata;
  if ((annotations?.[lastAppliedAnnotation] ?? '') === '') return;
  const copy = cloneJson(config);
  if (isObject(copy['metadata']) && isObject(copy['metadata']['annotations']))
    delete copy['metadata']['annotations'][lastAppliedAnnotation];
  const next: Record<string, string> = { ...annotations, [lastAppliedAnnotation]: `${canonicalJson(copy)}\n` };
  const bytes = Object.entries(next).reduce((sum, [key, value]) => sum + utf8Length(key) + utf8Length(value), 0);
  if (bytes > maxAnnotationsBytes) delete next[lastAppliedAnnotation];
  object.metadata.annotations = next;
}

const encoder = new TextEncoder();

function utf8Length(text: string): number {
  return encoder.encode(text).length;
}
