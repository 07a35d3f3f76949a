import { cloneJson, deepEqual, isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { maxNestingDepth, nestingDepth } from '../json/nesting.ts';
import { stringifyJson } from '../json/stringify.ts';
import { parseJsonPointer, pointsInto } from './json-pointer.ts';
import { inapplicablePatch, malformedPatch, patchTooLarge } from './patch-error.ts';

export const maxJsonPatchOperations = 10_000;
/** Characters of JSON that the `copy` operations of one patch may duplicate in total. */
const maxJsonPatchCopySize = 3 * 1024 * 1024;

type Pointer = readonly string[];

type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: Pointer; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: Pointer }
  | { readonly op: 'move' | 'copy'; readonly path: Pointer; readonly from: Pointer };

/**
 * Applies a JSON patch (RFC 6902): all operations or none. Inputs are left alone and share nothing with the result.
 *
 * @throws ApiStatusError 400 when the patch is malformed, 413 when it is too large, 422 when an operation does not fit
 * the document or a `test` fails; the cause names the operation (wire contract 2.3, 2.7).
 */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  const operations = readOperations(patch);
  const state: PatchState = { document: cloneJson(target), copied: 0 };
  operations.forEach((operation, index) => {
    const problem = applyOperation(state, operation);
    if (problem !== undefined) throw inapplicablePatch(`operation ${index} (${operation.op} ${printPointer(operation.path)}): ${problem}`);
  });
  return state.document;
}

interface PatchState {
  document: unknown;
  copied: number;
}

function readOperations(patch: unknown): JsonPatchOperation[] {
  if (!Array.isArray(patch)) throw malformedPatch('a JSON patch must be an array of operations');
  if (patch.length > maxJsonPatchOperations) {
    throw patchTooLarge(`The allowed maximum operations in a JSON patch is ${maxJsonPatchOperations}, got ${patch.length}`);
  }
  return patch.map((operation: unknown, index) => readOperation(operation, index));
}

function readOperation(given: unknown, index: number): JsonPatchOperation {
  if (!isObject(given)) throw malformedPatch(`JSON patch operation ${index} must be an object`);
  const { op } = given;
  const path = readPointer(given, 'path', index);
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      if (!Object.hasOwn(given, 'value')) throw malformedPatch(`JSON patch operation ${index} (${op}) must have a value`);
      return { op, path, value: given['value'] };
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy':
      return { op, path, from: readPointer(given, 'from', index) };
    default:
      throw malformedPatch(`JSON patch operation ${index} has the unknown op ${stringifyJson(op)}`);
  }
}

function readPointer(given: JsonObject, field: 'path' | 'from', index: number): Pointer {
  const text = given[field];
  const pointer = typeof text === 'string' ? parseJsonPointer(text) : undefined;
  if (pointer === undefined) throw malformedPatch(`JSON patch operation ${index} must have a ${field} that is a JSON pointer`);
  return pointer;
}

/** Returns what does not fit, or undefined when the operation was applied. */
function applyOperation(state: PatchState, operation: JsonPatchOperation): string | undefined {
  switch (operation.op) {
    case 'add':
      return add(state, operation.path, cloneJson(operation.value));
    case 'remove':
      return remove(state, operation.path);
    case 'replace':
      return replace(state, operation.path, cloneJson(operation.value));
    case 'test': {
      const found = find(state.document, operation.path);
      if (found === undefined) return missing(operation.path);
      return deepEqual(found.value, operation.value) ? undefined : 'the test failed: the value differs';
    }
    case 'copy':
      return copy(state, operation.from, operation.path);
    case 'move':
      return move(state, operation.from, operation.path);
  }
}

function add(state: PatchState, path: Pointer, value: unknown): string | undefined {
  if (path.length + nestingDepth(value) > maxNestingDepth) return `it would nest more than ${maxNestingDepth} levels deep`;
  const last = path.at(-1);
  if (last === undefined) {
    state.document = value;
    return undefined;
  }
  const parent = find(state.document, path.slice(0, -1))?.value;
  if (isObject(parent)) {
    setOwn(parent, last, value);
    return undefined;
  }
  if (!Array.isArray(parent)) return missing(path.slice(0, -1));
  const index = last === '-' ? parent.length : arrayIndex(last);
  if (index === undefined || index > parent.length) return `index ${last} is out of range`;
  parent.splice(index, 0, value);
  return undefined;
}

function remove(state: PatchState, path: Pointer): string | undefined {
  const last = path.at(-1);
  if (last === undefined) return 'the whole document cannot be removed';
  if (find(state.document, path) === undefined) return missing(path);
  const parent = find(state.document, path.slice(0, -1))?.value;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isObject(parent)) delete parent[last];
  return undefined;
}

function replace(state: PatchState, path: Pointer, value: unknown): string | undefined {
  if (path.length + nestingDepth(value) > maxNestingDepth) return `it would nest more than ${maxNestingDepth} levels deep`;
  const last = path.at(-1);
  if (last === undefined) {
    state.document = value;
    return undefined;
  }
  if (find(state.document, path) === undefined) return missing(path);
  const parent = find(state.document, path.slice(0, -1))?.value;
  if (Array.isArray(parent)) parent[Number(last)] = value;
  else if (isObject(parent)) setOwn(parent, last, value);
  return undefined;
}

function copy(state: PatchState, from: Pointer, path: Pointer): string | undefined {
  const source = find(state.document, from);
  if (source === undefined) return missing(from);
  state.copied += stringifyJson(source.value).length;
  if (state.copied > maxJsonPatchCopySize) throw patchTooLarge(`copies of more than ${maxJsonPatchCopySize} bytes in a JSON patch`);
  return add(state, path, cloneJson(source.value));
}

function move(state: PatchState, from: Pointer, path: Pointer): string | undefined {
  const source = find(state.document, from);
  if (source === undefined) return missing(from);
  if (pointsInto(path, from)) return path.length === from.length ? undefined : 'a value cannot be moved into itself';
  return remove(state, from) ?? add(state, path, source.value);
}

function find(document: unknown, path: Pointer): { readonly value: unknown } | undefined {
  let value = document;
  for (const token of path) {
    if (Array.isArray(value)) {
      const index = arrayIndex(token);
      if (index === undefined || index >= value.length) return undefined;
      value = (value as unknown[])[index];
    } else if (isObject(value) && Object.hasOwn(value, token)) {
      value = value[token];
    } else {
      return undefined;
    }
  }
  return { value };
}

function arrayIndex(token: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(token) ? Number(token) : undefined;
}

function missing(path: Pointer): string {
  return `nothing is at ${printPointer(path)}`;
}

function printPointer(path: Pointer): string {
  return JSON.stringify(path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
}
