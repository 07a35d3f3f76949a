import { failure } from '../status/api-status-error.ts';
import type { ApiStatusError } from '../status/api-status-error.ts';
import { difference, isEmptySet, pathsOf, setOfPaths } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import type { ManagerIdentity } from './managers.ts';
import { comparePathElements, printPath } from './path-element.ts';
import type { FieldPath } from './path-element.ts';

/** A field that an apply wants to change and somebody else owns. */
export interface Conflict {
  readonly manager: ManagerIdentity;
  readonly path: FieldPath;
}

/** The conflicts with one manager, in the order of their paths. */
export function conflictsWith(manager: ManagerIdentity, paths: FieldSet): Conflict[] {
  return pathsOf(paths)
    .sort(comparePaths)
    .map((path) => ({ manager, path }));
}

/** The conflicts about fields that are not in a set. */
export function conflictsOutside(conflicts: readonly Conflict[], allowed: FieldSet): Conflict[] {
  return conflicts.filter(({ path }) => !isEmptySet(difference(setOfPaths([path]), allowed)));
}

function comparePaths(a: FieldPath, b: FieldPath): number {
  for (const [at, element] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    const order = comparePathElements(element, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** 409 with one cause per conflict (wire contract 5.3). Details name no object, as in Kubernetes. */
export function applyConflict(conflicts: readonly Conflict[]): ApiStatusError {
  return failure(409, 'Conflict', messageOf(conflicts), {
    causes: conflicts.map(({ manager, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${printManager(manager)}`,
      field: printPath(path),
    })),
  });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${printManager(first.manager)}: ${printPath(first.path)}`;
  }
  const byManager = Map.groupBy(conflicts, ({ manager }) => printManager(manager));
  const texts = [...byManager].flatMap(([manager, own]) => [
    `conflicts with ${manager}:`,
    ...own.map(({ path }) => `- ${printPath(path)}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${texts.join('\n')}`;
}

function printManager({ manager, operation, apiVersion, subresource }: ManagerIdentity): string {
  const name = JSON.stringify(manager) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
