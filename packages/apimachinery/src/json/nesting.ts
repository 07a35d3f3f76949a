import { isObject } from './object.ts';

/** Deeper values are refused wherever they could come in, so that no recursion over a value can exhaust the stack. */
export const maxNestingDepth = 500;

/** How many objects and arrays are inside each other: 0 for a scalar, 1 for `{}`. */
export function nestingDepth(value: unknown): number {
  const children = Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : undefined;
  if (children === undefined) return 0;
  let deepest = 0;
  for (const child of children) deepest = Math.max(deepest, nestingDepth(child));
  return deepest + 1;
}
