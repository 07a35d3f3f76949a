import type { JsonObject } from '../json/object.ts';
import { listMetaSchema, objectMetaSchema } from '../schema/object-meta-schema.ts';
import { apiVersionSchema, kindSchema } from '../schema/object-schema.ts';
import type { StructuralSchema } from '../schema/structural.ts';
import { metaSchemaName, schemaRef } from './schema-names.ts';
import { toOpenApi } from './to-open-api.ts';

const text: StructuralSchema = { type: 'string' };

const preconditions: StructuralSchema = {
  type: 'object',
  description: 'Preconditions must be met before the operation is carried out.',
  properties: {
    resourceVersion: { ...text, description: 'The resourceVersion the object must have.' },
    uid: { ...text, description: 'The UID the object must have.' },
  },
};

const deleteOptions: StructuralSchema = {
  type: 'object',
  description: 'DeleteOptions may be given when deleting an object.',
  properties: {
    apiVersion: apiVersionSchema,
    kind: kindSchema,
    dryRun: {
      type: 'array',
      items: text,
      description: 'With All, everything happens but the storing.',
      'x-kubernetes-list-type': 'atomic',
    },
    gracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Seconds before the object is deleted.' },
    orphanDependents: { type: 'boolean', description: 'Deprecated: use propagationPolicy.' },
    preconditions,
    propagationPolicy: { ...text, description: 'What happens to dependents: Orphan, Background or Foreground.' },
  },
};

const statusDetails: StructuralSchema = {
  type: 'object',
  description: 'StatusDetails says more about a failure.',
  properties: {
    name: { ...text, description: 'Name of the object.' },
    group: { ...text, description: 'Group of the resource.' },
    kind: { ...text, description: 'Resource or kind.' },
    uid: { ...text, description: 'UID of the object.' },
    causes: {
      type: 'array',
      description: 'One entry per reason of the failure.',
      items: {
        type: 'object',
        properties: {
          reason: { ...text, description: 'One word for programs.' },
          message: { ...text, description: 'A sentence for people.' },
          field: { ...text, description: 'The field that caused it.' },
        },
      },
      'x-kubernetes-list-type': 'atomic',
    },
    retryAfterSeconds: { type: 'integer', format: 'int32', description: 'Seconds to wait before trying again.' },
  },
};

const status: StructuralSchema = {
  type: 'object',
  description: 'Status is the answer of calls that return no object.',
  properties: {
    apiVersion: apiVersionSchema,
    kind: kindSchema,
    status: { ...text, description: 'Success or Failure.' },
    message: { ...text, description: 'A sentence for people.' },
    reason: { ...text, description: 'One word for programs.' },
    details: statusDetails,
    code: { type: 'integer', format: 'int32', description: 'The HTTP status code.' },
  },
};

/** The schemas of meta.k8s.io/v1 that a group-version document refers to, by name. */
export function metaSchemas(groupVersion: { readonly group: string; readonly version: string }): JsonObject {
  const optionsOf = [{ group: '', version: 'v1' }, groupVersion]
    .filter(({ group, version }, index) => index === 0 || group !== '' || version !== 'v1')
    .map(({ group, version }) => ({ group, kind: 'DeleteOptions', version }));
  return {
    [metaSchemaName('ObjectMeta')]: toOpenApi({ ...objectMetaSchema }),
    [metaSchemaName('ListMeta')]: toOpenApi(listMetaSchema),
    [metaSchemaName('DeleteOptions')]: { ...toOpenApi(deleteOptions), 'x-kubernetes-group-version-kind': optionsOf },
    [metaSchemaName('Patch')]: {
      type: 'object',
      description: 'Patch is provided to give a concrete name and type to the body of a PATCH.',
    },
    [metaSchemaName('Status')]: {
      ...toOpenApi(status),
      'x-kubernetes-group-version-kind': [{ group: '', kind: 'Status', version: 'v1' }],
    },
  };
}

/** The schema of a list of a kind. */
export function listSchema(itemName: string, kind: string): JsonObject {
  return {
    type: 'object',
    description: `${kind}List is a list of ${kind}.`,
    required: ['items'],
    properties: {
      apiVersion: toOpenApi(apiVersionSchema),
      kind: toOpenApi(kindSchema),
      metadata: { description: 'Standard list metadata.', allOf: [schemaRef(metaSchemaName('ListMeta'))], default: {} },
      items: { type: 'array', description: `List of ${kind}.`, items: { allOf: [schemaRef(itemName)], default: {} } },
    },
  };
}
