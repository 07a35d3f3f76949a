import { stringifyJson } from '@arc/apimachinery';

/** A scalar of an artifact's spec under the name of its parameter. */
export interface FlatValue {
  readonly name: string;
  readonly value: string;
  /** Where it was, for messages: `spec.foo.bar[0]`. */
  readonly path: string;
}

/**
 * Turns an artifact's spec into parameters: `spec.foo.bar` becomes `specFooBar`, entries of lists are named by index
 * (`specTags0`, `specItems0Name`). Null, empty texts, empty lists and empty objects give nothing. Numbers are written as
 * in JSON.
 *
 * Names Argo would refuse (letters, digits, `-` and `_` are allowed) are left out, so that fields no template asks for are
 * harmless; `specJSON` has them all.
 */
export function flattenSpec(spec: unknown): FlatValue[] {
  const found: FlatValue[] = [];
  collect(spec, 'spec', 'spec', found);
  return found.filter(({ name }) => /^[-A-Za-z0-9_]+$/.test(name));
}

function collect(value: unknown, name: string, path: string, found: FlatValue[]): void {
  if (value === null || value === undefined || value === '') return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(item, `${name}${index}`, `${path}[${index}]`, found);
    return;
  }
  if (typeof value === 'object') {
    for (const [key, member] of Object.entries(value)) collect(member, `${name}${capitalised(key)}`, `${path}.${key}`, found);
    return;
  }
  found.push({ name, value: typeof value === 'string' ? value : stringifyJson(value), path });
}

function capitalised(key: string): string {
  return key.slice(0, 1).toUpperCase() + key.slice(1);
}

/** Two fields of a spec that would become the same parameter, which one the template got would be chance. */
export interface ParameterConflict {
  readonly name: string;
  /** Where the values are, for messages: `spec.foo`, `spec.Foo`. */
  readonly first: string;
  readonly second: string;
}

/** The first two fields whose parameters coincide; `specJSON` stands for the whole spec. */
export function parameterConflict(values: readonly FlatValue[]): ParameterConflict | undefined {
  const origins = new Map([['specJSON', 'the whole spec']]);
  for (const { name, path } of values) {
    const first = origins.get(name);
    if (first !== undefined) return { name, first, second: path };
    origins.set(name, path);
  }
  return undefined;
}

/** What is wrong, and what to do. */
export function conflictText({ name, first, second }: ParameterConflict): string {
  return `${first} and ${second} both become the parameter ${name}; rename one of them`;
}
