import { isObject } from '../json/object.ts';
import type { ManagedFieldsEntry } from '../meta/types.ts';
import type { FieldSet } from './field-set.ts';
import { decodeFieldsV1, encodeFieldsV1 } from './fields-v1.ts';

export type FieldOperation = 'Apply' | 'Update';

/** Somebody who owns fields: one entry of `metadata.managedFields`. */
export interface Manager {
  readonly manager: string;
  readonly operation: FieldOperation;
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** RFC 3339 in UTC; undefined when the entry has none. */
  readonly time: string | undefined;
  readonly set: FieldSet;
  /** The entry this was read from, when its set has not changed since. */
  readonly entry?: ManagedFieldsEntry;
}

/** Managers by `managerId`. */
export type Managers = ReadonlyMap<string, Manager>;

export type ManagerIdentity = Pick<Manager, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

/** Who is the same manager (wire contract 3.4): for Apply the version does not count, the entry moves to the newest. */
export function managerId({ manager, operation, apiVersion, subresource }: ManagerIdentity): string {
  return JSON.stringify([operation, manager, subresource, operation === 'Update' ? apiVersion : '']);
}

/** The same manager with another set. */
export function withSet(manager: Manager, set: FieldSet): Manager {
  if (set === manager.set) return manager;
  const { entry: _, ...rest } = manager;
  return { ...rest, set };
}

/** Reads `metadata.managedFields`; undefined when any of it is malformed. */
export function decodeManagedFields(entries: unknown): Managers | undefined {
  if (!Array.isArray(entries)) return undefined;
  const managers = new Map<string, Manager>();
  for (const entry of entries as readonly unknown[]) {
    const manager = isObject(entry) ? decodeEntry(entry as ManagedFieldsEntry) : undefined;
    if (manager === undefined) return undefined;
    managers.set(managerId(manager), manager);
  }
  return managers;
}

function decodeEntry(entry: ManagedFieldsEntry): Manager | undefined {
  const { manager = '', operation, apiVersion = '', time, fieldsType = 'FieldsV1', fieldsV1 = {}, subresource = '' } = entry;
  if ((operation !== 'Apply' && operation !== 'Update') || fieldsType !== 'FieldsV1') return undefined;
  const set = decodeFieldsV1(fieldsV1);
  return set === undefined ? undefined : { manager, operation, apiVersion, subresource, time, set, entry };
}

/** The list as it is stored, in Go's order: operation, time, manager, version, subresource. */
export function encodeManagedFields(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()].sort(compareManagers).map(encodeEntry);
}

function encodeEntry({ manager, operation, apiVersion, subresource, time, set, entry }: Manager): ManagedFieldsEntry {
  if (entry !== undefined && entry.time === time && entry.apiVersion === apiVersion) return entry;
  return {
    manager,
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFieldsV1(set),
    ...(subresource !== '' && { subresource }),
  };
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compare(a.operation, b.operation) ||
    compare(a.time ?? '', b.time ?? '') ||
    compare(a.manager, b.manager) ||
    compare(a.apiVersion, b.apiVersion) ||
    compare(a.subresource, b.subresource)
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
