import type { StructuralSchema } from './structural.ts';

const text: StructuralSchema = { type: 'string' };
const int64: StructuralSchema = { type: 'integer', format: 'int64' };

const ownerReferenceSchema: StructuralSchema = {
  type: 'object',
  description:
    'OwnerReference identifies an owning object. The owner must be in the same namespace as the dependent, or be cluster-scoped; there is no namespace field.',
  properties: {
    apiVersion: { ...text, description: 'API version of the owner.' },
    kind: { ...text, description: 'Kind of the owner.' },
    name: { ...text, description: 'Name of the owner.' },
    uid: { ...text, description: 'UID of the owner.' },
    controller: { type: 'boolean', description: 'If true, this reference points to the managing controller.' },
    blockOwnerDeletion: {
      type: 'boolean',
      description: 'If true, and the owner is being deleted in the foreground, the owner is not removed before this reference is.',
    },
  },
  required: ['apiVersion', 'kind', 'name', 'uid'],
  'x-kubernetes-map-type': 'atomic',
};

const managedFieldsEntrySchema: StructuralSchema = {
  type: 'object',
  description: 'ManagedFieldsEntry says which fields a manager has set, and in which version of the resource.',
  properties: {
    manager: { ...text, description: 'The workflow that manages these fields.' },
    operation: { ...text, description: 'How the fields were set: Apply or Update.' },
    apiVersion: { ...text, description: 'The version of the resource that the field set applies to.' },
    time: { ...text, format: 'date-time', description: 'When the set of fields last changed.' },
    fieldsType: { ...text, description: 'The format of fieldsV1; the only value is FieldsV1.' },
    fieldsV1: {
      type: 'object',
      description: 'The set of fields, in the FieldsV1 format.',
      'x-kubernetes-preserve-unknown-fields': true,
    },
    subresource: { ...text, description: 'The subresource through which the fields were set; empty for the object itself.' },
  },
};

/**
 * The schema of `metadata` (wire contract 3.1). Descriptions are what `kubectl explain` shows; the patch extensions
 * serve strategic merge patch on core kinds, the list types server-side apply.
 */
export const objectMetaSchema: StructuralSchema = {
  type: 'object',
  description: 'ObjectMeta is metadata that all stored objects have, set by users and by the server.',
  properties: {
    name: {
      ...text,
      description: 'Name is unique among the objects of a resource in a namespace. Set at creation, never changed.',
    },
    generateName: {
      ...text,
      description: 'GenerateName is a prefix from which the server makes a unique name when no name is given.',
    },
    namespace: {
      ...text,
      description: 'Namespace is the space within which the name is unique. Empty for cluster-scoped objects. Never changed.',
    },
    selfLink: { ...text, description: 'Deprecated: selfLink is a legacy field and no longer set.' },
    uid: { ...text, description: 'UID identifies this object over space and time. Set by the server.' },
    resourceVersion: {
      ...text,
      description: 'ResourceVersion is an opaque value that changes with every change of the object. Set by the server.',
    },
    generation: {
      ...int64,
      description: 'Generation is raised by the server whenever anything but metadata and status changes.',
    },
    creationTimestamp: { ...text, format: 'date-time', nullable: true, description: 'When the object was created. Set by the server.' },
    deletionTimestamp: {
      ...text,
      format: 'date-time',
      description: 'When deletion was requested. The object goes once its finalizers are empty. Set by the server.',
    },
    deletionGracePeriodSeconds: { ...int64, description: 'Seconds allowed for graceful termination. Set by the server.' },
    labels: {
      type: 'object',
      additionalProperties: text,
      description: 'Labels are keys and values by which objects are organised and selected.',
    },
    annotations: {
      type: 'object',
      additionalProperties: text,
      description: 'Annotations hold arbitrary data of tools and users; they cannot be selected by.',
    },
    ownerReferences: {
      type: 'array',
      items: ownerReferenceSchema,
      description: 'Objects this one depends on. When all of them are gone, this object is deleted.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'uid',
    },
    finalizers: {
      type: 'array',
      items: text,
      description: 'Must be empty before the object is removed. Each entry names who has to act first and then remove it.',
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
    },
    managedFields: {
      type: 'array',
      items: managedFieldsEntrySchema,
      description: 'ManagedFields records which manager set which fields. Kept by the server.',
      'x-kubernetes-list-type': 'atomic',
    },
  },
};

/** The schema of `metadata` of a list. */
export const listMetaSchema: StructuralSchema = {
  type: 'object',
  description: 'ListMeta is the metadata of a list.',
  properties: {
    continue: { ...text, description: 'Token for the next page; empty on the last one.' },
    remainingItemCount: { ...int64, description: 'Number of items beyond this page, when it is known.' },
    resourceVersion: { ...text, description: 'The version of the resource this list shows; a watch may start from it.' },
    selfLink: { ...text, description: 'Deprecated: selfLink is a legacy field and no longer set.' },
  },
};
