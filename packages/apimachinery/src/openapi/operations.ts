import type { KindDefinition, Verb } from '../kind/kind.ts';
import type { JsonObject } from '../json/object.ts';
import type { GroupVersionKind } from '../meta/types.ts';
import { deleteParameters, listParameters, patchParameters, queryParameter, selectParameters, writeParameters } from './parameters.ts';
import { metaSchemaName, schemaName, schemaRef } from './schema-names.ts';
import type { ExtraSubresource } from '../discovery/served-kinds.ts';

export interface OperationsOptions {
  /** Whether PATCH takes `application/apply-patch+yaml`. */
  readonly serverSideApply: boolean;
}

/** Makes the OpenAPI operations of one kind, each carrying what kubectl and Argo CD look for (wire contract 1.4). */
export interface KindOperations {
  /** The operations at a path of the resource, for the verbs given, by HTTP method. */
  at(
    verbs: readonly Verb[],
    options: {
      readonly namespaced: boolean;
      readonly subresource?: string;
      /** What is read and written there. Default: the kind itself. */
      readonly shown?: KindDefinition;
    },
  ): JsonObject;
  extra(extra: ExtraSubresource): JsonObject;
}

interface OperationShape {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  readonly action: string;
  readonly idVerb: string;
  readonly text: string;
}

const shapes: Readonly<Record<Exclude<Verb, 'watch'>, OperationShape>> = {
  get: { method: 'get', action: 'get', idVerb: 'read', text: 'read the specified' },
  list: { method: 'get', action: 'list', idVerb: 'list', text: 'list or watch objects of kind' },
  create: { method: 'post', action: 'post', idVerb: 'create', text: 'create a' },
  update: { method: 'put', action: 'put', idVerb: 'replace', text: 'replace the specified' },
  patch: { method: 'patch', action: 'patch', idVerb: 'patch', text: 'partially update the specified' },
  delete: { method: 'delete', action: 'delete', idVerb: 'delete', text: 'delete a' },
  deletecollection: { method: 'delete', action: 'deletecollection', idVerb: 'deleteCollection', text: 'delete collection of' },
};

export function kindOperations(definition: KindDefinition, { serverSideApply }: OperationsOptions): KindOperations {
  const { group, version, kind } = definition;
  const list = schemaRef(schemaName({ group, version, kind: `${kind}List` }));
  const status = schemaRef(metaSchemaName('Status'));
  const identityOf = (shown: GroupVersionKind): JsonObject => ({
    tags: [`${group === '' ? 'core' : idOf(group, false)}_${version}`],
    'x-kubernetes-group-version-kind': { group: shown.group, kind: shown.kind, version: shown.version },
  });
  const idPrefix = `${idOf(group === '' ? 'core' : group, true)}${idOf(version, true)}`;

  const requestOf = (verb: Verb, shown: KindDefinition): JsonObject | undefined => {
    switch (verb) {
      case 'create':
      case 'update':
        return { content: bodies(['application/json', 'application/yaml'], schemaRef(schemaName(shown))), required: true };
      case 'patch':
        return { content: bodies(patchTypes(shown, serverSideApply), schemaRef(metaSchemaName('Patch'))), required: true };
      case 'delete':
      case 'deletecollection':
        return { content: bodies(['application/json'], schemaRef(metaSchemaName('DeleteOptions'))) };
      case 'get':
      case 'list':
      case 'watch':
        return undefined;
    }
  };
  const answerOf = (verb: Verb, shown: KindDefinition): JsonObject => {
    const own = schemaRef(schemaName(shown));
    if (verb === 'list') return { '200': answer(list, ['application/json', 'application/yaml', 'application/json;stream=watch']) };
    if (verb === 'delete' || verb === 'deletecollection') return { '200': answer(status) };
    return { '200': answer(own), ...(verb === 'create' && { '201': answer(own) }) };
  };

  return {
    at(verbs, { namespaced, subresource, shown = definition }) {
      const operations: JsonObject = {};
      for (const verb of verbs) {
        if (verb === 'watch') continue;
        const shape = shapes[verb];
        const requestBody = requestOf(verb, shown);
        operations[shape.method] = {
          ...identityOf(shown),
          description: `${shape.text} ${kind}`,
          operationId: `${shape.idVerb}${idPrefix}${namespaced ? 'Namespaced' : ''}${kind}${idOf(subresource ?? '', true)}${verb === 'list' && !namespaced && definition.scope === 'Namespaced' ? 'ForAllNamespaces' : ''}`,
          ...parametersOf(verb),
          ...(requestBody !== undefined && { requestBody }),
          responses: { ...answerOf(verb, shown), '401': { description: 'Unauthorized' } },
          'x-kubernetes-action': shape.action,
        };
      }
      return operations;
    },
    extra(extra) {
      const operations: JsonObject = {};
      const shown = extra.responseKind ?? definition;
      for (const verb of extra.verbs) {
        if (verb === 'watch') continue;
        const shape = shapes[verb];
        operations[shape.method] = {
          ...identityOf(shown),
          description: extra.description ?? `${shape.text} ${extra.subresource} of ${kind}`,
          operationId: `${shape.idVerb}${idPrefix}${definition.scope === 'Namespaced' ? 'Namespaced' : ''}${kind}${idOf(extra.subresource, true)}`,
          ...(extra.queryParameters !== undefined && { parameters: extra.queryParameters.map(queryParameter) }),
          responses: {
            '200': answer({ type: extra.mediaType === undefined ? 'object' : 'string' }, [extra.mediaType ?? 'application/json']),
            '401': { description: 'Unauthorized' },
          },
          'x-kubernetes-action': shape.action,
        };
      }
      return operations;
    },
  };
}

function parametersOf(verb: Verb): JsonObject {
  switch (verb) {
    case 'create':
    case 'update':
      return { parameters: writeParameters };
    case 'patch':
      return { parameters: patchParameters };
    case 'delete':
      return { parameters: deleteParameters };
    case 'deletecollection':
      return { parameters: [...selectParameters, ...deleteParameters] };
    case 'list':
      return { parameters: listParameters };
    case 'get':
    case 'watch':
      return {};
  }
}

/** kubectl sends strategic merge patches wherever they are listed, and fails when they are then refused (wire contract 0.7). */
function patchTypes(definition: KindDefinition, serverSideApply: boolean): string[] {
  return [
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(definition.strategicMergePatch === true ? ['application/strategic-merge-patch+json'] : []),
    ...(serverSideApply ? ['application/apply-patch+yaml'] : []),
  ];
}

function bodies(types: readonly string[], schema: unknown): JsonObject {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function answer(schema: unknown, types: readonly string[] = ['application/json', 'application/yaml']): JsonObject {
  return { description: 'OK', content: bodies(types, schema) };
}

/** `arc.opendefense.cloud` becomes `ArcOpendefenseCloud` (or `arcOpendefenseCloud`). */
function idOf(text: string, upper: boolean): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .map((word, index) => (index === 0 && !upper ? word : `${word.charAt(0).toUpperCase()}${word.slice(1)}`))
    .join('');
}
