import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { FieldWriter, readEmbedded, readInteger, readMessage, type Method } from './fields.ts';

/** A key in etcd; for a deletion only `key` and `modRevision` mean something. */
export interface KeyValue {
  readonly key: string;
  /** An exact copy, never a view of a larger message. */
  readonly value: Uint8Array;
  /** The revision that made this incarnation of the key. */
  readonly createRevision: number;
  /** The revision of the last write. */
  readonly modRevision: number;
}

export interface RangeRequest {
  readonly key: Uint8Array;
  /** Exclusive; absent for one key; a single zero byte for no bound. */
  readonly rangeEnd?: Uint8Array;
  readonly limit?: number;
  /** 0 or absent for the newest. */
  readonly revision?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: number;
}

export interface RangeResponse {
  /** The newest revision of the whole etcd when it answered. */
  readonly revision: number;
  readonly items: readonly KeyValue[];
  readonly more: boolean;
  /** Keys in the range, whatever limit and filters left of them. */
  readonly count: number;
}

export const range: Method<RangeRequest, RangeResponse> = {
  path: '/etcdserverpb.KV/Range',
  encode: (request) => encodeRange(request),
  decode(bytes) {
    const response = emptyRange();
    readMessage(bytes, (field, reader) => readRangeField(response, field, reader));
    return response;
  },
};

/** What a transaction does to the one key it is about. */
export interface SwapRequest {
  readonly key: Uint8Array;
  /** The revision its current value must have; 0 for a key that must not exist. */
  readonly expect: number;
  /** The new value, or null to delete. */
  readonly value: Uint8Array | null;
}

export interface SwapResponse {
  /** Of this transaction when it succeeded; else the newest one. */
  readonly revision: number;
  readonly succeeded: boolean;
  /** The value it replaced or deleted; when it failed, the value in the way. */
  readonly other: KeyValue | undefined;
}

/** A transaction of one compare and one write, which tells the value in the way when the comparison fails. */
export const swap: Method<SwapRequest, SwapResponse> = {
  path: '/etcdserverpb.KV/Txn',
  encode({ key, expect, value }) {
    const compare = new FieldWriter().integer(1, compareEqual).integer(2, compareModRevision).bytes(3, key).chosenInteger(6, expect);
    const write =
      value === null
        ? new FieldWriter().message(3, new FieldWriter().bytes(1, key).flag(3, true).finish())
        : new FieldWriter().message(2, new FieldWriter().bytes(1, key).bytes(2, value).flag(4, true).finish());
    const look = new FieldWriter().message(1, encodeRange({ key }));
    return new FieldWriter().message(1, compare.finish()).message(2, write.finish()).message(3, look.finish()).finish();
  },
  decode(bytes) {
    const response: { revision: number; succeeded: boolean; other: KeyValue | undefined } = {
      revision: 0,
      succeeded: false,
      other: undefined,
    };
    readMessage(bytes, (field, reader) => {
      if (field === 1) response.revision = readHeader(reader);
      else if (field === 2) response.succeeded = reader.bool();
      else if (field === 3) response.other = readOperation(reader);
      else return false;
      return true;
    });
    return response;
  },
};

export const compact: Method<{ readonly revision: number }, void> = {
  path: '/etcdserverpb.KV/Compact',
  encode: ({ revision }) => new FieldWriter().integer(1, revision).finish(),
  decode() {},
};

const compareEqual = 0;
const compareModRevision = 2;

function encodeRange(request: RangeRequest): Uint8Array {
  return new FieldWriter()
    .bytes(1, request.key)
    .bytes(2, request.rangeEnd)
    .integer(3, request.limit)
    .integer(4, request.revision)
    .flag(8, request.keysOnly)
    .flag(9, request.countOnly)
    .integer(10, request.minModRevision)
    .finish();
}

interface MutableRange {
  revision: number;
  items: KeyValue[];
  more: boolean;
  count: number;
}

function emptyRange(): MutableRange {
  return { revision: 0, items: [], more: false, count: 0 };
}

function readRangeField(response: MutableRange, field: number, reader: BinaryReader): boolean {
  if (field === 1) response.revision = readHeader(reader);
  else if (field === 2) response.items.push(readKeyValue(reader));
  else if (field === 3) response.more = reader.bool();
  else if (field === 4) response.count = readInteger(reader);
  else return false;
  return true;
}

/** The previous or found value in the answer of the one operation of a branch. */
function readOperation(reader: BinaryReader): KeyValue | undefined {
  let found: KeyValue | undefined;
  readEmbedded(reader, (operation, outer) => {
    if (operation < 1 || operation > 3) return false;
    readEmbedded(outer, (field, inner) => {
      // Range: kvs = 2. Put: prev_kv = 2. DeleteRange: deleted = 2, prev_kvs = 3.
      if (field !== (operation === 3 ? 3 : 2)) return false;
      found = readKeyValue(inner);
      return true;
    });
    return true;
  });
  return found;
}

export function readHeader(reader: BinaryReader): number {
  let revision = 0;
  readEmbedded(reader, (field, inner) => {
    if (field !== 3) return false;
    revision = readInteger(inner);
    return true;
  });
  return revision;
}

export function readKeyValue(reader: BinaryReader): KeyValue {
  const result = { key: '', value: new Uint8Array(), createRevision: 0, modRevision: 0 };
  readEmbedded(reader, (field, inner) => {
    if (field === 1) result.key = inner.string();
    else if (field === 2) result.createRevision = readInteger(inner);
    else if (field === 3) result.modRevision = readInteger(inner);
    else if (field === 5) result.value = new Uint8Array(inner.bytes());
    else return false;
    return true;
  });
  return result;
}
