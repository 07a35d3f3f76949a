import type { StorageErrorCode } from '@arc/storage';

/** Byte strings joined into one buffer, which changes threads without being copied. */
export interface Packed {
  readonly buffer: ArrayBuffer;
  /** Length of each; -1 stands for none. */
  readonly lengths: readonly number[];
}

/** Live values: parallel arrays. */
export interface Rows {
  readonly keys: readonly string[];
  readonly revisions: readonly number[];
  readonly values: Packed;
}

/** What the store asks of its database thread, and what it gets. */
export interface Calls {
  commit: {
    readonly args: { readonly keys: readonly string[]; readonly expected: readonly ('absent' | number)[]; readonly values: Packed };
    readonly reply: {
      /** The revision each item was written under; 0 where the comparison failed. */
      readonly revisions: readonly number[];
      /** The value before (where written) or in the way (where not): its revision, 0 for none, and its bytes. */
      readonly priorRevisions: readonly number[];
      readonly priorValues: Packed;
    };
  };
  get: { readonly args: { readonly key: string }; readonly reply: Rows };
  range: {
    readonly args: {
      readonly start: string;
      readonly end: string | undefined;
      readonly limit: number | undefined;
      readonly revision: number | undefined;
    };
    readonly reply: Rows & { readonly revision: number; readonly more: boolean };
  };
  /** At most `limit` changes after a revision. */
  log: {
    readonly args: { readonly after: number; readonly limit: number };
    readonly reply: Rows & { readonly priorRevisions: readonly number[]; readonly priorValues: Packed };
  };
  /** Forgets some history at and below `revision`; to be called again until done. */
  compact: { readonly args: { readonly revision: number; readonly limit: number }; readonly reply: { readonly done: boolean } };
  close: { readonly args: Record<string, never>; readonly reply: Record<string, never> };
}

export type CallName = keyof Calls;

export type Request = { [Name in CallName]: { readonly id: number; readonly name: Name; readonly args: Calls[Name]['args'] } }[CallName];

export interface Opened {
  readonly revision: number;
  readonly compacted: number;
}

export interface Failure {
  readonly code: StorageErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** The newest revision, where the failure left it in doubt and the database was opened anew to learn it. */
  readonly revision?: number;
}

/** Id 0 answers the opening of the database. */
export type Reply =
  | { readonly id: 0; readonly opened: Opened }
  | { readonly id: number; readonly value: Calls[CallName]['reply'] }
  | { readonly id: number; readonly failure: Failure };

export interface DatabaseOptions {
  readonly file: string;
  readonly maxBytes: number | undefined;
}

export function pack(values: readonly (Uint8Array | null | undefined)[]): Packed {
  const lengths = values.map((value) => value?.length ?? -1);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + Math.max(0, length), 0));
  let at = 0;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    bytes.set(value, at);
    at += value.length;
  }
  return { buffer: bytes.buffer, lengths };
}

/** The byte strings as views of the one buffer; undefined where there is none. */
export function unpack({ buffer, lengths }: Packed): (Uint8Array | undefined)[] {
  let at = 0;
  return lengths.map((length) => {
    if (length < 0) return undefined;
    at += length;
    return new Uint8Array(buffer, at - length, length);
  });
}
