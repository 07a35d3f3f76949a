import { checkFieldSelector, matchesFields, matchesLabels, parseFieldSelector, parseLabelSelector } from '@arc/apimachinery';
import type { ObjectFilter } from '@arc/storage';
import type { ServedResource } from '../registry/served-resource.ts';

/**
 * The objects that the selectors of a list or watch pick; undefined when they pick all.
 * @throws ApiStatusError 400 when a selector cannot be read or names a field the kind does not offer.
 */
export function objectFilter(
  resource: ServedResource,
  selectors: { readonly labelSelector: string; readonly fieldSelector: string },
): ObjectFilter | undefined {
  const labels = parseLabelSelector(selectors.labelSelector);
  const fields = parseFieldSelector(selectors.fieldSelector);
  checkFieldSelector(fields, resource.definition.selectableFields);
  if (labels.length === 0 && fields.length === 0) return undefined;
  return (object) => matchesLabels(labels, object.labels) && matchesFields(fields, object.fields);
}
