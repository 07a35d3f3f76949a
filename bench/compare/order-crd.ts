import type { StructuralSchema } from '@arc/apimachinery';
import { orderDefinition } from '@arc/api/arc';

/** A CustomResourceDefinition of Orders as the ARC API describes them: the same schema, columns and selectable fields. */
export function orderCrd(): object {
  const { group, version, kind, names, scope, schema, description, selectableFields = [] } = orderDefinition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${group}` },
    spec: {
      ...{ group, scope, names: { kind, listKind: `${kind}List`, ...names } },
      versions: [
        {
          ...{ name: version, served: true, storage: true, subresources: { status: {} } },
          schema: { openAPIV3Schema: { ...withoutPatchHints(schema), type: 'object', description } },
          selectableFields: selectableFields.map((field) => ({ jsonPath: `.${field}` })),
          additionalPrinterColumns: [
            { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
        },
      ],
    },
  };
}

/** What strategic merge patch is told is not allowed in custom resources. */
function withoutPatchHints(schema: StructuralSchema): StructuralSchema {
  const { 'x-kubernetes-patch-strategy': _strategy, 'x-kubernetes-patch-merge-key': _key, ...rest } = schema;
  const { properties, items, additionalProperties } = rest;
  return {
    ...rest,
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, withoutPatchHints(property)])),
    }),
    ...(items !== undefined && { items: withoutPatchHints(items) }),
    ...(additionalProperties !== undefined && { additionalProperties: withoutPatchHints(additionalProperties) }),
  };
}
