import type { OutputStream } from '@arc/cli-kit';
import { stringifyJson } from '@arc/apimachinery/client';
import type { KubeObject, ResourceType } from '@arc/apimachinery/client';

export type ObjectFormat = 'json' | 'yaml' | 'name';

export function isObjectFormat(format: string | undefined): format is ObjectFormat {
  return format === 'json' || format === 'yaml' || format === 'name';
}

/** Prints one object, or a `v1 List` of them, without managed fields; `name` prints a line for each. */
export async function printObjects(
  output: OutputStream,
  type: ResourceType,
  objects: readonly KubeObject[],
  format: ObjectFormat,
  asList: boolean,
): Promise<void> {
  if (format === 'name') {
    output.write(objects.map((object) => `${qualifiedName(type, object)}\n`).join(''));
    return;
  }
  const shown = objects.map(withoutManagedFields);
  const value = asList ? { apiVersion: 'v1', kind: 'List', items: shown, metadata: { resourceVersion: '' } } : shown[0];
  output.write(format === 'json' ? `${stringifyJson(value, 4)}\n` : (await import('@arc/apimachinery/yaml')).encodeYaml(value));
}

/** `order.arc.opendefense.cloud/demo`, as kubectl names objects. */
export function qualifiedName(type: ResourceType, object: KubeObject): string {
  const kind = type.kind.toLowerCase();
  return `${type.group === '' ? kind : `${kind}.${type.group}`}/${object.metadata.name ?? ''}`;
}

/** They are bookkeeping and longer than what they are kept for. */
function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}
