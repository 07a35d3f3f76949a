import { difference, hasPath, isEmptySet, setOfPaths } from '../apply/field-set.ts';
import { decodeManagedFields, encodeManagedFields, managerId, withSet } from '../apply/managers.ts';
import type { Manager, Managers } from '../apply/managers.ts';
import { fieldElement } from '../apply/path-element.ts';
import type { ManagedFieldsEntry } from '../meta/types.ts';
import { scaleKind } from './scale-kind.ts';
import { fieldNames } from './scale-paths.ts';

const scaleVersion = `${scaleKind.group}/${scaleKind.version}`;
const replicas = setOfPaths([['f:spec', 'f:replicas']]);

/** The `/scale` of a kind, as field management sees it (wire contract 2.8). */
export interface ScaleManagers {
  /** Who owns the replicas of an object, as managers of its Scale. */
  ofScale(entries: readonly ManagedFieldsEntry[] | undefined): ManagedFieldsEntry[];
  /** The managers of the object after a write through its scale, of which `scaled` are the managers of the Scale. */
  ofObject(
    entries: readonly ManagedFieldsEntry[] | undefined,
    scaled: readonly ManagedFieldsEntry[] | undefined,
  ): ManagedFieldsEntry[] | undefined;
}

/**
 * @param apiVersion of the object.
 * @param specReplicasPath where the object keeps its replicas in that version, and in every other it was ever owned in.
 */
export function scaleManagers(apiVersion: string, specReplicasPath: string): ScaleManagers {
  const path = fieldNames(specReplicasPath).map(fieldElement);
  const own = setOfPaths([path]);
  return {
    ofScale(entries) {
      const managers = [...decoded(entries).values()].filter(({ set }) => hasPath(set, path));
      return encodeManagedFields(byId(managers.map((manager) => withSet({ ...manager, apiVersion: scaleVersion }, replicas))));
    },
    ofObject(entries, scaled) {
      const writers = new Map([...decoded(scaled).values()].map((manager) => [ignoringVersion(manager), manager]));
      const after: Manager[] = [];
      for (const manager of decoded(entries).values()) {
        const writer = hasPath(manager.set, path) ? writers.get(ignoringVersion(manager)) : undefined;
        const rest = hasPath(manager.set, path) && writer === undefined ? withSet(manager, difference(manager.set, own)) : manager;
        // Who has the field still has it since the time of the scale: another one after an apply, the same otherwise.
        if (writer !== undefined) writers.delete(ignoringVersion(manager));
        if (!isEmptySet(rest.set)) after.push(writer === undefined ? rest : { ...rest, time: writer.time });
      }
      const added = [...writers.values()].map((manager) => withSet({ ...manager, apiVersion }, own));
      const managers = byId([...after, ...added]);
      return managers.size === 0 ? undefined : encodeManagedFields(managers);
    },
  };
}

function decoded(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  return decodeManagedFields(entries) ?? new Map();
}

function byId(managers: readonly Manager[]): Managers {
  return new Map(managers.map((manager) => [managerId(manager), manager]));
}

function ignoringVersion(manager: Manager): string {
  return managerId({ ...manager, apiVersion: '' });
}
