import { isObject } from '../json/object.ts';
import type { ApplyType, ListType, MapType } from './apply-type.ts';
import { fieldElement, printElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';

/**
 * Says what is wrong with an applied configuration: fields the schema does not know, items given twice or without their
 * keys, values of the wrong shape. Each text begins with its path: `.spec.x: field not declared in schema` (wire contract
 * 5.2). Values themselves are judged later, by validation of the merged object.
 */
export function validateConfig(value: unknown, type: ApplyType): string[] {
  const problems: string[] = [];
  check(value, type, '', problems);
  return problems;
}

function check(value: unknown, type: ApplyType, path: string, problems: string[]): void {
  if (value === null || type.kind === 'deduced') return;
  if (type.kind === 'scalar') {
    if (typeof value === 'object') problems.push(at(path, `expected ${scalarName(type)}, got ${nameOf(value)}`));
  } else if (type.kind === 'map') {
    checkMap(value, type, path, problems);
  } else {
    checkList(value, type, path, problems);
  }
}

function scalarName({ schema }: Extract<ApplyType, { kind: 'scalar' }>): string {
  if (schema.type === 'integer' || schema.type === 'number') return 'numeric (int or float)';
  return schema.type ?? 'scalar';
}

function checkMap(value: unknown, map: MapType, path: string, problems: string[]): void {
  if (!isObject(value)) {
    problems.push(at(path, `expected map, got ${nameOf(value)}`));
    return;
  }
  for (const name of Object.keys(value)) {
    const field = map.field(name);
    const fieldPath = path + printElement(fieldElement(name));
    if (field === undefined) problems.push(at(fieldPath, 'field not declared in schema'));
    else check(value[name], field, fieldPath, problems);
  }
}

function checkList(value: unknown, list: ListType, path: string, problems: string[]): void {
  if (!Array.isArray(value)) {
    problems.push(at(path, `expected list, got ${nameOf(value)}`));
    return;
  }
  const seen = new Set<PathElement>();
  const reported = new Set<PathElement>();
  for (const [index, item] of (value as readonly unknown[]).entries()) {
    const problem = itemProblem(item, list);
    if (problem !== undefined) {
      problems.push(at(path, `element ${index}: ${problem}`));
      continue;
    }
    const element = list.relationship === 'atomic' ? `i:${index}` : list.elementOf(item);
    if (seen.has(element) && !reported.has(element)) {
      problems.push(at(path, `duplicate entries for key ${printElement(element)}`));
      reported.add(element);
    }
    seen.add(element);
    check(item, list.items, path + printElement(element), problems);
  }
}

/** Why an item cannot be found again among the others. */
function itemProblem(item: unknown, list: ListType): string | undefined {
  if (list.relationship === 'set') {
    if (item === null) return 'associative list without keys has an element that is an explicit null';
    return typeof item === 'object' ? `associative list without keys has an element that is a ${nameOf(item)} type` : undefined;
  }
  if (list.relationship === 'atomic') return undefined;
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isObject(item)) return 'associative list with keys may not have non-map elements';
  const missing = list.missingKey(item);
  return missing === undefined
    ? undefined
    : `associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`;
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return isObject(value) ? 'map' : typeof value;
}

function at(path: string, problem: string): string {
  return path === '' ? problem : `${path}: ${problem}`;
}
