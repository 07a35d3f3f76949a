export type JsonObject = Record<string, unknown>;

/** True for JSON objects; false for arrays and null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets an own property, also one named `__proto__`, which plain assignment would turn into a prototype change. */
export function setOwn(object: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** Reads an own property; inherited ones (`constructor`, `__proto__`) are undefined. */
export function getOwn(object: Readonly<JsonObject>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A deep copy of a JSON value. */
export function cloneJson<T>(value: T): T;
export function cloneJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => cloneJson(item));
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) setOwn(copy, key, cloneJson(value[key]));
  return copy;
}

/**
 * Equality of JSON values: key order does not matter, a property that is undefined counts as absent, a number equals a
 * bigint of the same value.
 */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint') return typeof b === 'number' && Number.isInteger(b) && a === BigInt(b);
  if (typeof b === 'bigint') return deepEqual(b, a);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => deepEqual(item, b[index]));
  }
  const left = a as JsonObject;
  const right = b as JsonObject;
  for (const key of Object.keys(left)) {
    if (!deepEqual(left[key], getOwn(right, key))) return false;
  }
  return Object.keys(right).every((key) => right[key] === undefined || Object.hasOwn(left, key));
}
