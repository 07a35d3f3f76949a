import {
  apiVersionOf,
  applyTypeOf,
  type FieldWrite,
  type JsonObject,
  type KindDefinition,
  type KubeObject,
  objectSchemaOf,
} from '@arc/apimachinery';
import type { TypedVersion, WritableFields } from '@arc/apimachinery';
import { isNamespaceKind, type ServedResource } from '../registry/served-resource.ts';
import type { WriteOptions } from '../request/write-options.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import { timestamp } from './prepare-metadata.ts';
import type { UpdateScope } from './prepare-update.ts';

const maxManagerBytes = 128;

/** How one write shows in `metadata.managedFields` (wire contract 3.4). */
export function fieldWrite(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  { fieldManager, scope }: Pick<WriteOptions, 'fieldManager'> & { readonly scope: UpdateScope | 'scale' },
): FieldWrite {
  return {
    manager: fieldManager === '' ? managerOf(request.exchange.header('user-agent') ?? '') : fieldManager,
    apiVersion: apiVersionOf(resource.definition),
    subresource: scope === 'main' ? '' : scope,
    writable: writableFields(resource.definition, scope),
    version: versionsOf(resource),
    now: timestamp(server.clock.now()),
  };
}

/** The manager of a write that names none: the program its User-Agent names (wire contract 2.4). */
function managerOf(userAgent: string): string {
  let manager = '';
  let bytes = 0;
  for (const character of (userAgent.split('/', 1)[0] ?? '').replaceAll(/\p{C}/gu, '')) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxManagerBytes) break;
    manager += character;
  }
  return manager;
}

function writableFields(definition: KindDefinition, scope: UpdateScope | 'scale'): WritableFields {
  if (scope === 'status') return { only: ['status'] };
  if (scope === 'finalize' || scope === 'scale') return { only: ['spec'] };
  const except = [
    ...(definition.subresources?.status === true ? ['status'] : []),
    // The finalizers of a namespace are the server's own until `finalize` takes them away.
    ...(isNamespaceKind(definition) ? ['spec'] : []),
  ];
  return { except };
}

const versions = new WeakMap<KindDefinition, FieldWrite['version']>();

/** The versions in which the objects of a resource are served; owned fields are compared in the version they were owned in. */
function versionsOf({ stored }: ServedResource): FieldWrite['version'] {
  const known = versions.get(stored);
  if (known !== undefined) return known;
  const forms = new Map<string, TypedVersion>();
  const others = stored.servedAlsoAs ?? [];
  const toStored = (object: JsonObject): KubeObject => {
    const from = others.find(({ definition }) => apiVersionOf(definition) === object['apiVersion']);
    return from === undefined ? (object as unknown as KubeObject) : from.toStored(object as unknown as KubeObject);
  };
  const add = (definition: KindDefinition, fromStored: (object: KubeObject) => KubeObject): void => {
    const apiVersion = apiVersionOf(definition);
    forms.set(apiVersion, {
      type: applyTypeOf(objectSchemaOf(definition)),
      // An object that does not exist yet has no version.
      convert: (object) =>
        object['apiVersion'] === undefined || object['apiVersion'] === apiVersion
          ? object
          : (fromStored(toStored(object)) as unknown as JsonObject),
    });
  };
  add(stored, (object) => object);
  for (const { definition, fromStored } of others) add(definition, fromStored);
  const version: FieldWrite['version'] = (apiVersion) => forms.get(apiVersion);
  versions.set(stored, version);
  return version;
}
