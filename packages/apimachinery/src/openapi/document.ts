import { pathOf } from '../discovery/discovery.ts';
import { scaleVerbs, verbsOf } from '../discovery/served-kinds.ts';
import type { ServedGroupVersion, ServedKind } from '../discovery/served-kinds.ts';
import type { KindDefinition, Verb } from '../kind/kind.ts';
import type { JsonObject } from '../json/object.ts';
import { objectSchemaOf } from '../schema/object-schema.ts';
import { listSchema, metaSchemas } from './meta-schemas.ts';
import { kindOperations } from './operations.ts';
import type { OperationsOptions } from './operations.ts';
import { pathParameter, pretty } from './parameters.ts';
import { schemaName } from './schema-names.ts';
import { scaleKind } from '../scale/scale-kind.ts';
import { toOpenApi } from './to-open-api.ts';

export interface OpenApiDocumentOptions extends OperationsOptions {
  /** Version of the server, shown as the version of the document. */
  readonly version: string;
}

/** The OpenAPI v3 document of one group-version (wire contract 1.4). */
export function openApiDocument(groupVersion: ServedGroupVersion, options: OpenApiDocumentOptions): JsonObject {
  const schemas: JsonObject = {};
  const paths: JsonObject = {};
  for (const served of groupVersion.kinds) {
    Object.assign(schemas, schemasOf(served.definition));
    Object.assign(paths, pathsOf(served, options));
    if (served.definition.subresources?.scale !== undefined) Object.assign(schemas, schemasOf(scaleKind));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: options.version },
    paths,
    components: { schemas: { ...schemas, ...metaSchemas(groupVersion) } },
  };
}

function schemasOf(definition: KindDefinition): JsonObject {
  const { group, version, kind } = definition;
  const name = schemaName(definition);
  const ofKind = (kind: string): JsonObject => ({ 'x-kubernetes-group-version-kind': [{ group, kind, version }] });
  return {
    [name]: { ...toOpenApi(objectSchemaOf(definition)), ...ofKind(kind) },
    ...(verbsOf(definition).includes('list') && {
      [schemaName({ group, version, kind: `${kind}List` })]: { ...listSchema(name, kind), ...ofKind(`${kind}List`) },
    }),
  };
}

function pathsOf({ definition, extraSubresources }: ServedKind, options: OpenApiDocumentOptions): JsonObject {
  const operations = kindOperations(definition, options);
  const { names, scope, kind } = definition;
  const namespaced = scope === 'Namespaced';
  const root = pathOf(definition);
  const collection = namespaced ? `${root}/namespaces/{namespace}/${names.plural}` : `${root}/${names.plural}`;
  const having = (wanted: readonly Verb[]): Verb[] => verbsOf(definition).filter((verb) => wanted.includes(verb));
  const inNamespace = namespaced ? [pathParameter('namespace', 'The namespace of the object.')] : [];
  const named = [pathParameter('name', `Name of the ${kind}.`), ...inNamespace];

  const paths: JsonObject = {};
  const add = (path: string, item: JsonObject, parameters: readonly JsonObject[]): void => {
    if (Object.keys(item).length > 0) paths[path] = { ...item, parameters: [...parameters, pretty] };
  };
  if (namespaced) add(`${root}/${names.plural}`, operations.at(having(['list']), { namespaced: false }), []);
  add(collection, operations.at(having(['list', 'create', 'deletecollection']), { namespaced }), inNamespace);
  add(`${collection}/{name}`, operations.at(having(['get', 'update', 'patch', 'delete']), { namespaced }), named);
  if (definition.subresources?.status === true) {
    const status = operations.at(having(['get', 'update', 'patch']), { namespaced, subresource: 'status' });
    add(`${collection}/{name}/status`, status, named);
  }
  if (definition.subresources?.scale !== undefined) {
    add(`${collection}/{name}/scale`, operations.at(scaleVerbs, { namespaced, subresource: 'scale', shown: scaleKind }), named);
  }
  for (const extra of extraSubresources) add(`${collection}/{name}/${extra.subresource}`, operations.extra(extra), named);
  return paths;
}
