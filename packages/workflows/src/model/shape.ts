/** The form a value must have before anything looks into it. Fields a shape does not name may be anything. */
export type Shape =
  | 'string'
  | 'text'
  | 'number'
  | 'boolean'
  | 'any'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly required?: readonly string[] };

export interface ShapeFault {
  readonly field: string;
  readonly reason: string;
}

/** Every place at which `value` departs from `shape`. Null counts as absent, as it does in Kubernetes. */
export function shapeFaults(value: unknown, shape: Shape, field: string): readonly ShapeFault[] {
  if (shape === 'any') return [];
  if (typeof shape === 'string') return isScalar(value, shape) ? [] : [fault(field, value, names[shape])];
  if ('list' in shape) {
    if (!Array.isArray(value)) return [fault(field, value, 'a list')];
    return value.flatMap((entry, index) => shapeFaults(entry, shape.list, `${field}[${index}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [fault(field, value, 'an object')];
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined && entry !== null);
  if ('map' in shape) return entries.flatMap(([key, entry]) => shapeFaults(entry, shape.map, `${field}.${key}`));
  const present = new Set(entries.map(([key]) => key));
  const missing = (shape.required ?? [])
    .filter((key) => !present.has(key))
    .map((key) => ({ field: `${field}.${key}`, reason: 'is required' }));
  const wrong = entries.flatMap(([key, entry]) => {
    const inner = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    return inner === undefined ? [] : shapeFaults(entry, inner, `${field}.${key}`);
  });
  return [...missing, ...wrong];
}

/** The value without the fields that are null; the value itself when there are none. */
export function dropNulls<T>(value: T): T {
  return hasNull(value) ? (withoutNulls(value) as T) : value;
}

function hasNull(value: unknown): boolean {
  if (typeof value !== 'object') return false;
  return value === null || Object.values(value).some(hasNull);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const present = Object.entries(value).filter(([, entry]) => entry !== null);
  return Object.fromEntries(present.map(([key, entry]) => [key, withoutNulls(entry)]));
}

const names = { string: 'a string', text: 'a string, number or boolean', number: 'a number', boolean: 'a boolean' } as const;

function isScalar(value: unknown, shape: keyof typeof names): boolean {
  if (shape === 'text') return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return typeof value === shape;
}

function fault(field: string, value: unknown, expected: string): ShapeFault {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  return { field, reason: `must be ${expected}, not ${actual}` };
}
