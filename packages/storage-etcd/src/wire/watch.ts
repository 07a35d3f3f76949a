import { FieldWriter, readEmbedded, readMessage, readInteger, type Method } from './fields.ts';
import { readHeader, readKeyValue, type KeyValue } from './kv.ts';

/** The creation of a watcher, with previous values and progress notifications. */
export interface WatchRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: number;
}

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly item: KeyValue;
  readonly previous: KeyValue | undefined;
}

export interface WatchResponse {
  /** The newest revision when it was sent; for a response without events, everything up to it has been sent. */
  readonly revision: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly cancelReason: string;
  /** Above 0 when the watcher wanted revisions that have been compacted. */
  readonly compactRevision: number;
  readonly events: readonly WatchEvent[];
}

/** Asks for a response that tells how far everything has been sent. */
export const progressRequest = 'progress';

export const watch: Method<WatchRequest | typeof progressRequest, WatchResponse> = {
  path: '/etcdserverpb.Watch/Watch',
  encode(request) {
    if (request === progressRequest) return new FieldWriter().message(3, new Uint8Array()).finish();
    const { key, rangeEnd, startRevision } = request;
    const create = new FieldWriter().bytes(1, key).bytes(2, rangeEnd).integer(3, startRevision).flag(4, true).flag(6, true);
    return new FieldWriter().message(1, create.finish()).finish();
  },
  decode(bytes) {
    const events: WatchEvent[] = [];
    const response = { revision: 0, created: false, canceled: false, cancelReason: '', compactRevision: 0, events };
    readMessage(bytes, (field, reader) => {
      if (field === 1) response.revision = readHeader(reader);
      else if (field === 3) response.created = reader.bool();
      else if (field === 4) response.canceled = reader.bool();
      else if (field === 5) response.compactRevision = readInteger(reader);
      else if (field === 6) response.cancelReason = reader.string();
      else if (field === 11) events.push(readEvent(reader));
      else return false;
      return true;
    });
    return response;
  },
};

function readEvent(reader: Parameters<typeof readKeyValue>[0]): WatchEvent {
  let type: WatchEvent['type'] = 'put';
  let item: KeyValue = { key: '', value: new Uint8Array(), createRevision: 0, modRevision: 0 };
  let previous: KeyValue | undefined;
  readEmbedded(reader, (field, inner) => {
    if (field === 1) type = inner.int32() === 1 ? 'delete' : 'put';
    else if (field === 2) item = readKeyValue(inner);
    else if (field === 3) previous = readKeyValue(inner);
    else return false;
    return true;
  });
  return { type, item, previous };
}
