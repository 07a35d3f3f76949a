import { cloneJson, getOwn, isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';

/** Applies a JSON merge patch (RFC 7396). Inputs are left alone and share nothing with the result. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return cloneJson(patch);
  const result: JsonObject = {};
  if (isObject(target)) {
    for (const key of Object.keys(target)) {
      if (!Object.hasOwn(patch, key)) setOwn(result, key, cloneJson(target[key]));
      else if (patch[key] !== null) setOwn(result, key, applyMergePatch(target[key], patch[key]));
    }
  }
  for (const key of Object.keys(patch)) {
    if (patch[key] !== null && !Object.hasOwn(result, key)) setOwn(result, key, applyMergePatch(undefined, getOwn(patch, key)));
  }
  return result;
}
