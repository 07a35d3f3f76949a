import { FieldWriter, readMessage, type Method } from './fields.ts';
import { readHeader } from './kv.ts';

/** Puts one key and removes ranges of others in one transaction; no range may hold the key. */
export interface ReplaceRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly removed: readonly { readonly key: Uint8Array; readonly rangeEnd: Uint8Array }[];
}

export const replace: Method<ReplaceRequest, void> = {
  path: '/etcdserverpb.KV/Txn',
  encode({ key, value, removed }) {
    const txn = new FieldWriter();
    txn.message(2, new FieldWriter().message(2, new FieldWriter().bytes(1, key).bytes(2, value).finish()).finish());
    for (const { key, rangeEnd } of removed) {
      txn.message(2, new FieldWriter().message(3, new FieldWriter().bytes(1, key).bytes(2, rangeEnd).finish()).finish());
    }
    return txn.finish();
  },
  decode() {},
};

/** Removes one key, and tells the revision it is gone at. */
export const remove: Method<{ readonly key: Uint8Array }, { readonly revision: number }> = {
  path: '/etcdserverpb.KV/DeleteRange',
  encode: ({ key }) => new FieldWriter().bytes(1, key).finish(),
  decode(bytes) {
    let revision = 0;
    readMessage(bytes, (field, reader) => {
      if (field !== 1) return false;
      revision = readHeader(reader);
      return true;
    });
    return { revision };
  },
};
