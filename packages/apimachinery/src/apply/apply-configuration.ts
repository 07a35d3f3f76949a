import { isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import type { KubeObject, UnstructuredObject } from '../meta/types.ts';
import { failure, statusError } from '../status/api-status-error.ts';
import { applyConflict, conflictsOutside } from './conflicts.ts';
import { fieldsOfLastApplied, migratingManager, syncLastApplied } from './last-applied.ts';
import { decodeManagedFields } from './managers.ts';
import type { Managers } from './managers.ts';
import { encoded, identityOf, updaterOptions, withoutManagedFields } from './track-fields.ts';
import type { FieldWrite } from './track-fields.ts';
import { applyConfig, updateManagers } from './updater.ts';
import { validateConfig } from './validate-config.ts';

/** Owns what an object had before anything was applied to it, when that was not tracked. */
const beforeFirstApply = 'before-first-apply';

/**
 * Server-side apply (wire contract 5): merges a configuration into an object and says who owns what.
 *
 * @param live what is stored; undefined when the apply creates the object.
 * @param config of the kind and version of `write`; shares parts with the result.
 * @returns the merged object with its managedFields; defaults and validation are still to come.
 * @throws ApiStatusError 400 for a configuration with managedFields, 409 with one cause per conflict, 500 when the
 *   configuration does not fit the schema (what Kubernetes answers).
 */
export function applyConfiguration(
  live: KubeObject | undefined,
  config: UnstructuredObject,
  write: FieldWrite & { readonly force: boolean },
): UnstructuredObject {
  const { apiVersion, force } = write;
  const type = write.version(apiVersion)?.type;
  if (type === undefined) throw new TypeError(`a configuration is applied in ${apiVersion}, which is not known`);
  assertApplicable(config, validateConfig(config, type));
  const stored = live === undefined ? {} : withoutManagedFields(live);
  const options = {
    ...updaterOptions(write),
    identity: identityOf(write, 'Apply'),
    managers: managersOf(live, stored, write),
  };
  // What is applied through a subresource is not the configuration the annotation remembers.
  const migrates = write.manager === migratingManager && write.subresource === '';
  let result = applyConfig(stored, config, { ...options, force });
  if ('conflicts' in result) {
    const mayTake = live !== undefined && migrates;
    const left = mayTake ? conflictsOutside(result.conflicts, fieldsOfLastApplied(live, type)) : result.conflicts;
    if (left.length === 0) result = applyConfig(stored, config, { ...options, force: true });
    if ('conflicts' in result) throw applyConflict(left);
  }
  const object = { ...result.object, apiVersion, kind: config.kind, metadata: { ...metadataOf(result.object) } } as UnstructuredObject;
  if (migrates) syncLastApplied(object, config);
  const managedFields = encoded(result.managers);
  if (managedFields !== undefined) object.metadata.managedFields = managedFields;
  return object;
}

function metadataOf({ metadata }: JsonObject): JsonObject {
  return isObject(metadata) ? metadata : {};
}

/** The managers of the live object; if it was not tracked so far, one that owns everything. */
function managersOf(live: KubeObject | undefined, stored: JsonObject, write: FieldWrite): Managers {
  const managers = decodeManagedFields(live?.metadata.managedFields) ?? new Map();
  if (live === undefined || managers.size > 0) return managers;
  const identity = identityOf({ ...write, manager: beforeFirstApply }, 'Update');
  return updateManagers({}, stored, { ...updaterOptions(write), identity, managers });
}

function assertApplicable(config: UnstructuredObject, problems: readonly string[]): void {
  const { metadata } = config;
  const { managedFields } = metadata as { readonly managedFields?: unknown };
  if (managedFields !== undefined && managedFields !== null) throw statusError.badRequest('metadata.managedFields must be nil');
  if (problems.length === 0) return;
  const text = problems.length === 1 ? problems[0] : ['errors:', ...problems.map((problem) => `  ${problem}`)].join('\n');
  const name = `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  throw failure(500, '', `failed to create typed patch object (${name}; ${config.apiVersion}, Kind=${config.kind}): ${text}`);
}
