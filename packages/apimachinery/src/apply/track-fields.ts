import type { JsonObject } from '../json/object.ts';
import { isObject } from '../json/object.ts';
import type { KubeObject, ManagedFieldsEntry } from '../meta/types.ts';
import { capManagers } from './cap-managers.ts';
import { decodeManagedFields, encodeManagedFields } from './managers.ts';
import type { FieldOperation, ManagerIdentity, Managers } from './managers.ts';
import { trackedFields } from './tracked-fields.ts';
import type { WritableFields } from './tracked-fields.ts';
import { updateManagers } from './updater.ts';
import type { TypedVersion, UpdaterOptions } from './updater.ts';

/** One write, as field management sees it. */
export interface FieldWrite {
  /** `fieldManager`, or what stands for it; empty becomes `unknown`. */
  readonly manager: string;
  /** The version the objects are in. */
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly writable: WritableFields;
  /** Undefined for versions that are no longer served. */
  readonly version: (apiVersion: string) => TypedVersion | undefined;
  /** RFC 3339 in UTC, whole seconds. */
  readonly now: string;
}

/**
 * The `managedFields` of an object after a create, update or patch that is no apply (wire contract 3.4, 5.2).
 *
 * @param live what is stored; undefined on create.
 * @param next what will be stored; its own managedFields do not count.
 * @param sent the managedFields the client sent. A valid list is the base; `[]` or `[{}]` ends tracking until the first
 *   apply; anything else, and whatever is sent to a subresource, is ignored in favour of the live ones.
 * @returns undefined for an object that is not tracked.
 */
export function trackFields(
  live: KubeObject | undefined,
  next: KubeObject,
  options: FieldWrite & { readonly sent: unknown },
): ManagedFieldsEntry[] | undefined {
  const stored = live?.metadata.managedFields;
  const managers = (options.subresource === '' ? sentManagers(options.sent) : undefined) ?? decodeManagedFields(stored) ?? new Map();
  if (managers.size === 0 && live !== undefined) return undefined;
  const after = updateManagers(live === undefined ? {} : withoutManagedFields(live), withoutManagedFields(next), {
    ...updaterOptions(options),
    identity: identityOf(options, 'Update'),
    managers,
  });
  return encoded(capManagers(after));
}

/** The managers a client sent; undefined when it sent none that count. */
function sentManagers(sent: unknown): Managers | undefined {
  if (!Array.isArray(sent)) return undefined;
  const [first] = sent as readonly unknown[];
  if (sent.length === 0 || (sent.length === 1 && isObject(first) && Object.keys(first).length === 0)) return new Map();
  return decodeManagedFields(sent);
}

export function encoded(managers: Managers): ManagedFieldsEntry[] | undefined {
  return managers.size === 0 ? undefined : encodeManagedFields(managers);
}

export function identityOf({ manager, apiVersion, subresource }: FieldWrite, operation: FieldOperation): ManagerIdentity {
  return { manager: manager === '' ? 'unknown' : manager, operation, apiVersion, subresource };
}

export function updaterOptions({ version, writable, now }: FieldWrite): UpdaterOptions {
  return { version, now, tracked: (set) => trackedFields(set, writable) };
}

/** The object as what it says, without who said it. Shares everything else. */
export function withoutManagedFields(object: KubeObject): JsonObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** True when two lists of managers say the same, but for their times (wire contract 2.6: such a change is no change). */
export function sameManagers(a: readonly ManagedFieldsEntry[] = [], b: readonly ManagedFieldsEntry[] = []): boolean {
  const untimed = (entries: readonly ManagedFieldsEntry[]): string[] =>
    entries.map((entry) => JSON.stringify({ ...entry, time: undefined })).sort();
  if (a.length !== b.length) return false;
  const left = untimed(a);
  const right = untimed(b);
  return left.every((entry, at) => entry === right[at]);
}
