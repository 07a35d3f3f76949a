import type { KubeObject } from '@arc/apimachinery';
import { deepEqual } from '@arc/apimachinery';
import type { ControllerSource, ReconcileRequest } from '@arc/controller';
import { isDeleting } from '../metadata/references.ts';
import type { SecretRecord } from './secret-record.ts';

/** Sources of one controller are of many kinds; the list forgets which. */
export function source<T extends KubeObject>(typed: ControllerSource<T>): ControllerSource {
  return typed as unknown as ControllerSource;
}

export function requestFor(object: KubeObject): ReconcileRequest {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
}

export function specChanged(object: KubeObject & { spec?: object }, old: KubeObject & { spec?: object }): boolean {
  return isDeleting(object) !== isDeleting(old) || !deepEqual(object.spec, old.spec);
}

export function secretChanged(secret: SecretRecord, old: SecretRecord): boolean {
  return isDeleting(secret) !== isDeleting(old) || secret.digest !== old.digest;
}
