import { s } from '@arc/apimachinery';

const referenceFields = {
  apiVersion: s.optional(s.string({ description: 'Group and version of the object.' })),
  kind: s.optional(s.string({ description: 'Kind of the object.' })),
  namespace: s.optional(s.string({ description: 'Namespace of the object.' })),
  name: s.optional(s.string({ description: 'Name of the object.' })),
  uid: s.optional(s.string({ description: 'UID of the object.' })),
  resourceVersion: s.optional(s.string({ description: 'Revision the reference was made at.' })),
  fieldPath: s.optional(s.string({ description: 'The part of the object that is meant.' })),
};

/** A v1 ObjectReference. */
export function objectReference(description: string) {
  return s.object(referenceFields, { description, 'x-kubernetes-map-type': 'atomic' });
}

/** The name of an object in the same namespace. */
export const localObjectReference = s.object(
  { name: s.optional(s.string({ description: 'Name of the object.' })) },
  { 'x-kubernetes-map-type': 'atomic' },
);
