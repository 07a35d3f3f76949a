import { nowMicros, type Pace } from './clock.ts';
import { openConnections, type Connection } from './connection.ts';
import { measureTurns, type LoadResult } from './load-result.ts';
import { fillTemplate, objectName, type ObjectTemplate } from './object-template.ts';
import type { Target } from './target.ts';

type WriteOperation = 'create' | 'update' | 'delete' | 'apply' | 'merge-patch';

export interface WriteLoad extends Pace {
  readonly target: Target;
  /** Path of the collection, in its namespace. */
  readonly collection: string;
  readonly template: ObjectTemplate;
  readonly operation: WriteOperation;
  /** Connections, each with one request at a time. */
  readonly writers: number;
  /** Index of the first object. */
  readonly first: number;
  /** Changes go round these many objects from `first` on; creations and deletions go on from there and need no such number. */
  readonly objects?: number;
  /** Write the same each time, so that after the first time nothing changes. */
  readonly unchanging?: boolean;
}

export async function runWrites(load: WriteLoad): Promise<LoadResult> {
  using opened = await openConnections(load.target, load.writers);
  const write = writerOf(load);
  return await measureTurns(opened.connections, load, async (connection, { index }, worker) => {
    return await write(connection, load.objects === undefined ? load.first + index : objectOfWorker(load, index, worker));
  });
}

/** Each writer changes objects of its own, so that none meets the conflict of another. */
function objectOfWorker({ objects = 1, writers, first }: WriteLoad, turn: number, worker: number): number {
  const each = Math.max(1, Math.floor(objects / writers));
  return first + worker * each + (Math.floor(turn / writers) % each);
}

type Write = (connection: Connection, index: number) => Promise<number>;

function writerOf({ collection, template, operation, unchanging = false }: WriteLoad): Write {
  const body = (index: number): string => fillTemplate(template, index, unchanging ? 0 : nowMicros());
  const path = (index: number): string => `${collection}/${objectName(index)}`;
  switch (operation) {
    case 'create':
      return async (connection, index) =>
        (await connection.send(connection.head({ method: 'POST', path: collection, contentType: 'application/json' }), body(index))).bytes;
    case 'delete':
      return async (connection, index) => (await connection.send(connection.head({ method: 'DELETE', path: path(index) }))).bytes;
    case 'apply':
      return patch('application/apply-patch+yaml', '?fieldManager=bench&force=true');
    case 'merge-patch':
      return patch('application/merge-patch+json', '?fieldManager=bench');
    case 'update':
      return updater(path, body);
  }

  function patch(contentType: string, query: string): Write {
    return async (connection, index) =>
      (await connection.send(connection.head({ method: 'PATCH', path: `${path(index)}${query}`, contentType }), body(index))).bytes;
  }
}

/** Replaces objects as a controller does: at the revision it saw last, which the answer to its last write told it. */
function updater(path: (index: number) => string, body: (index: number) => string): Write {
  const revisions = new Map<number, string>();
  return async (connection, index) => {
    let revision = revisions.get(index);
    revision ??= revisionOf((await connection.send(connection.head({ method: 'GET', path: path(index) }), '', { keepBody: true })).body);
    const text = body(index).replace('"metadata":{', `"metadata":{"resourceVersion":"${revision}",`);
    const head = connection.head({ method: 'PUT', path: path(index), contentType: 'application/json' });
    const answer = await connection.send(head, text, { keepBody: true });
    revisions.set(index, revisionOf(answer.body));
    return answer.bytes;
  };
}

function revisionOf(body: Buffer): string {
  const found = /"resourceVersion":"(\d+)"/.exec(body.toString('latin1'))?.[1];
  if (found === undefined) throw new Error('the answer to a write holds no resourceVersion');
  return found;
}
