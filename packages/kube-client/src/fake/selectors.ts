import type { KindDefinition, KubeObject } from '@arc/apimachinery';
import { checkFieldSelector, fieldsOf, matchesFields, matchesLabels, parseFieldSelector, parseLabelSelector } from '@arc/apimachinery';

/**
 * The label and field selectors of a request as one predicate. Of a kind that is not known, any scalar field can be
 * selected by.
 *
 * @throws SelectorError
 */
export function selectorPredicate(
  selectors: { readonly labelSelector?: string; readonly fieldSelector?: string },
  kind: KindDefinition | undefined,
): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(selectors.labelSelector ?? '');
  const fields = parseFieldSelector(selectors.fieldSelector ?? '');
  if (kind !== undefined) checkFieldSelector(fields, kind.selectableFields);
  const selected = fields.map(({ field }) => field);
  return (object) => matchesLabels(labels, object.metadata.labels ?? {}) && matchesFields(fields, fieldsOf({ ...object }, selected));
}
