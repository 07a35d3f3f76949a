import { labelValueProblems, qualifiedNameProblems } from '../meta/name-rules.ts';
import { SelectorError } from './selector-error.ts';

export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'GreaterThan' | 'LessThan';

/** One condition on one label. `values` is empty for Exists and DoesNotExist, one decimal integer for the comparisons. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** All requirements must hold; the empty selector selects everything. */
export type LabelSelector = readonly LabelRequirement[];

/** `matchLabels` and `matchExpressions`, the selector as objects carry it. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

/** True when the labels meet every requirement. `NotIn` and `DoesNotExist` are met by an absent label. */
export function matchesLabels(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every((requirement) => meets(requirement, labels));
}

/** Writes a selector in the form `parseLabelSelector` reads: `a=b,c in (d,e),!f`. */
export function printLabelSelector(selector: LabelSelector): string {
  return selector.map(printRequirement).join(',');
}

/**
 * Turns the object form into requirements.
 *
 * @throws SelectorError when a key, a value or the number of values is not allowed.
 */
export function labelSelectorOf(object: LabelSelectorObject): LabelSelector {
  const requirements = [
    ...Object.entries(object.matchLabels ?? {}).map(([key, value]): LabelRequirement => ({ key, operator: 'In', values: [value] })),
    ...(object.matchExpressions ?? []).map(({ key, operator, values = [] }): LabelRequirement => ({ key, operator, values })),
  ];
  for (const requirement of requirements) checkRequirement(requirement);
  return requirements;
}

/** Throws SelectorError when a key, a value or the number of values is not allowed. */
export function checkRequirement({ key, operator, values }: LabelRequirement): void {
  const [keyProblem] = qualifiedNameProblems(key);
  if (keyProblem !== undefined) throw new SelectorError(`key: Invalid value: ${JSON.stringify(key)}: ${keyProblem}`);
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    throw new SelectorError("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    throw new SelectorError('values: Invalid value: values set must be empty for exists and does not exist');
  }
  if ((operator === 'GreaterThan' || operator === 'LessThan') && integerOf(values[0] ?? '') === undefined) {
    throw new SelectorError(
      `values[0]: Invalid value: ${JSON.stringify(values[0] ?? '')}: for 'Gt', 'Lt' operators, the value must be an integer`,
    );
  }
  for (const value of values) {
    const [problem] = labelValueProblems(value);
    if (problem !== undefined) throw new SelectorError(`values: Invalid value: ${JSON.stringify(value)}: ${problem}`);
  }
}

function meets({ key, operator, values }: LabelRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'GreaterThan':
    case 'LessThan':
      return compares(value, operator, values[0]);
  }
}

function compares(value: string | undefined, operator: 'GreaterThan' | 'LessThan', bound: string | undefined): boolean {
  const left = integerOf(value ?? '');
  const right = integerOf(bound ?? '');
  if (left === undefined || right === undefined) return false;
  return operator === 'GreaterThan' ? left > right : left < right;
}

const maxInt64 = 2n ** 63n - 1n;

function integerOf(text: string): bigint | undefined {
  if (!/^[-+]?[0-9]{1,40}$/.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value > maxInt64 || value < -maxInt64 - 1n ? undefined : value;
}

function printRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(',')})`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'GreaterThan':
      return `${key}>${values[0]}`;
    case 'LessThan':
      return `${key}<${values[0]}`;
  }
}
