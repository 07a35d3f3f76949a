import {
  checkFieldSelector,
  type FieldSelector,
  type LabelSelector,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '@arc/apimachinery';
import type { ObjectFilter, Requirement, Selection } from '@arc/storage';
import type { ServedResource } from '../registry/served-resource.ts';

/**
 * The objects that the selectors of a list or watch pick: equalities as requirements, which the cache has indexes for, the
 * rest as a filter.
 * @throws ApiStatusError 400 when a selector cannot be read or names a field the kind does not offer.
 */
export function selectionOf(
  resource: ServedResource,
  selectors: { readonly labelSelector: string; readonly fieldSelector: string },
): Omit<Selection, 'namespace'> {
  const labels = parseLabelSelector(selectors.labelSelector);
  const fields = parseFieldSelector(selectors.fieldSelector);
  checkFieldSelector(fields, resource.definition.selectableFields);
  const requirements: readonly Requirement[] = [
    ...fields.filter(isEquality).map(({ field, value }) => ({ by: 'field', name: field, values: [value] }) as const),
    ...labels.filter(isOneOf).map(({ key, values }) => ({ by: 'label', name: key, values }) as const),
  ];
  const filter = filterOf(
    labels.filter((requirement) => !isOneOf(requirement)),
    fields.filter((requirement) => !isEquality(requirement)),
  );
  return { ...(requirements.length > 0 && { requirements }), ...(filter !== undefined && { filter }) };
}

function isEquality({ operator }: FieldSelector[number]): boolean {
  return operator === '=';
}

function isOneOf({ operator }: LabelSelector[number]): boolean {
  return operator === 'In';
}

/** @param unequal requirements of the form `field!=value`. */
function filterOf(labels: LabelSelector, unequal: FieldSelector): ObjectFilter | undefined {
  if (labels.length === 0 && unequal.length === 0) return undefined;
  return (object) => matchesLabels(labels, object.labels) && unequal.every(({ field, value }) => object.field(field) !== value);
}
