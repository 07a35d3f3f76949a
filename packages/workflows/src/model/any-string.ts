import type { AnyString } from '@arc/api/argo';

/** The text of an `AnyString`; undefined and null stay undefined. */
export function textOf(value: AnyString | null | undefined): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}
