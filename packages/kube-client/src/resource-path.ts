import type { ResourceType } from '@arc/apimachinery/client';
import { ArcError } from '@arc/kernel';
import type { ClientListOptions, ObjectRef, WriteOptions } from './client.ts';

/** `/api/v1/namespaces/ns/secrets` or `/apis/g/v/...`; no namespace: the resource across all namespaces. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${type.plural}`;
}

/** @throws ArcError `NamespaceMissing`, `NameMissing` */
export function objectPath(type: ResourceType, ref: ObjectRef, subresource?: 'status'): string {
  if (ref.name === '') throw new ArcError('NameMissing', `a request for one of ${type.plural} needs a name`);
  const path = `${namespacePath(type, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** The collection an object is created in. @throws ArcError `NamespaceMissing` */
export function namespacePath(type: ResourceType, namespace: string | undefined): string {
  if (type.namespaced && (namespace === undefined || namespace === '')) {
    throw new ArcError('NamespaceMissing', `${type.kind} is a namespaced kind: the request needs a namespace`);
  }
  return collectionPath(type, namespace);
}

export function listQuery(options: ClientListOptions): Record<string, string | undefined> {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit === undefined ? undefined : String(options.limit),
    continue: options.continue,
    resourceVersion: options.resourceVersion,
  };
}

export function writeQuery(options: WriteOptions): Record<string, string | undefined> {
  return {
    dryRun: options.dryRun === true ? 'All' : undefined,
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
  };
}

/** Appends the parameters that are set. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = Object.entries(parameters)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  return query === '' ? path : `${path}?${query}`;
}
