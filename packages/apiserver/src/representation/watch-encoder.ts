import { apiVersionOf, type MetaVersion, partialObjectMetadata, type Status, tableObject, tableOf } from '@arc/apimachinery';
import { type Clock, unshared } from '@arc/kernel';
import type { CachedEvent, CachedObject } from '@arc/storage';
import type { Exchange } from '../http/exchange.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { negotiate, type Representation } from '../request/accept.ts';
import { type ObjectView, utf8, viewOfCached, viewOfObject } from './object-view.ts';
import { parseIncludeObject, rowOf } from './table-row.ts';

/** @throws ApiStatusError 406: there are no streams of YAML. */
export function negotiateWatch(exchange: Exchange): Representation {
  return negotiate(exchange.header('accept'), { transforms: ['Table', 'PartialObjectMetadata'], yaml: false });
}

/** Writes the lines of one watch. What does not depend on the watcher is encoded once per event and shared. */
export interface WatchEncoder {
  initial(objects: readonly CachedObject[]): Uint8Array;
  events(events: readonly CachedEvent[]): Uint8Array;
  bookmark(revision: number, options: { readonly initialEventsEnd: boolean }): Uint8Array;
  error(status: Status): Uint8Array;
}

const newline = Buffer.from('}\n');

export function watchEncoder(query: URLSearchParams, resource: ServedResource, representation: Representation, clock: Clock): WatchEncoder {
  const { transform, metaVersion } = representation;
  const include = transform === 'Table' ? parseIncludeObject(query) : 'Metadata';
  // A table's columns come with the first event of each watch; all later events look the same for everybody.
  let columns = transform === 'Table';
  const form = `${transform} ${metaVersion} ${include} ${resource.definition.group}/${resource.definition.version}`;

  const represented = (view: ObjectView): Uint8Array => {
    switch (transform) {
      case 'Table': {
        const row = rowOf(view, { include, metaVersion, now: clock.now() });
        return tableObject([row], { metaVersion, ...(columns && { columnDefinitions: tableOf(resource.definition).columnDefinitions }) });
      }
      case 'PartialObjectMetadata':
        return partialObjectMetadata(view.metadata(), metaVersion);
      case 'object':
      case 'PartialObjectMetadataList':
        return view.bytes();
    }
  };
  const line = (type: string, body: string | Uint8Array): Uint8Array =>
    Buffer.concat([Buffer.from(`{"type":"${type}","object":`), typeof body === 'string' ? Buffer.from(body) : body, newline]);

  const eventLine = (event: CachedEvent): Uint8Array => {
    if (columns) {
      const first = line(event.type, represented(viewOfCached(resource, event.object)));
      columns = false;
      return first;
    }
    const known = resource.encodings.events.get(event, form);
    if (known !== undefined) return known;
    const encoded = unshared(line(event.type, represented(viewOfCached(resource, event.object))));
    resource.encodings.events.set(event, form, encoded);
    return encoded;
  };

  return {
    initial: (objects) =>
      Buffer.concat(
        objects.map((object) => {
          const added = line('ADDED', represented(viewOfCached(resource, object)));
          columns = false;
          return added;
        }),
      ),
    events: (events) => {
      const [first] = events;
      if (events.length === 1 && first !== undefined) return eventLine(first);
      if (columns) return Buffer.concat(events.map(eventLine));
      return resource.encodings.joined.linesOf(events, form, () => Buffer.concat(events.map(eventLine)));
    },
    bookmark: (revision, { initialEventsEnd }) => {
      const metadata = {
        resourceVersion: String(revision),
        creationTimestamp: null,
        ...(initialEventsEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
      };
      const { definition } = resource;
      const view = viewOfObject(resource, { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata });
      return line('BOOKMARK', transform === 'Table' ? bookmarkTable(view, metaVersion) : represented(view));
    },
    error: (status) => line('ERROR', JSON.stringify(status)),
  };
}

/** Columns are computed from an object's content, and a bookmark has none. */
function bookmarkTable(view: ObjectView, metaVersion: MetaVersion): Uint8Array {
  const row = `{"cells":[],"object":${utf8(partialObjectMetadata(view.metadata(), metaVersion))}}`;
  const { resourceVersion = '' } = view.parsed().metadata;
  return tableObject([Buffer.from(row)], { metaVersion, metadata: { resourceVersion } });
}
