import type { KubeObject } from '@arc/apimachinery';
import { statusError } from '@arc/apimachinery';

type Predicate = (object: KubeObject) => boolean;

/** The label and field selectors of a request as one predicate. Field selectors may name any dotted scalar path. */
export function selectorPredicate(selectors: { readonly labelSelector?: string; readonly fieldSelector?: string }): Predicate {
  const tests = [...parseLabels(selectors.labelSelector ?? ''), ...parseFields(selectors.fieldSelector ?? '')];
  return (object) => tests.every((test) => test(object));
}

function parseLabels(selector: string): Predicate[] {
  return splitOutsideParentheses(selector).map((term) => {
    const set = /^([^\s!=]+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term);
    if (set !== null) {
      const [, key = '', operator, list = ''] = set;
      const values = list.split(',').map((value) => value.trim());
      const within = (object: KubeObject): boolean => {
        const value = object.metadata.labels?.[key];
        return value !== undefined && values.includes(value);
      };
      return operator === 'in' ? within : (object) => !within(object);
    }
    const equality = /^([^\s!=]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
    if (equality !== null) {
      const [, key = '', operator, value] = equality;
      return (object) => (object.metadata.labels?.[key] === value) === (operator !== '!=');
    }
    const existence = /^(!?)\s*([^\s!=(),]+)$/.exec(term);
    if (existence === null) throw statusError.badRequest(`unable to parse requirement: ${term}`);
    const [, not, key = ''] = existence;
    return (object) => (object.metadata.labels?.[key] !== undefined) === (not === '');
  });
}

function parseFields(selector: string): Predicate[] {
  return selector
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^([^!=]+)(==|=|!=)(.*)$/.exec(term);
      if (match === null) throw statusError.badRequest(`invalid selector: ${term}`);
      const [, path = '', operator, value] = match;
      return (object) => (scalarAt(object, path) === value) === (operator !== '!=');
    });
}

function scalarAt(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const name of path.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value === undefined || value === null ? '' : String(value);
}

function splitOutsideParentheses(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}
