import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '@arc/apimachinery';

interface AskedReview {
  readonly kind: 'TokenReview' | 'SubjectAccessReview';
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A core API that answers what a test tells it to and records what it is asked. */
export interface StubCore extends AsyncDisposable {
  readonly url: string;
  /** In the order in which they came. */
  readonly asked: AskedReview[];
  /** The status of each review; a number is answered as that HTTP code, undefined never. */
  answer: (review: AskedReview) => object | number | undefined;
  /** Puts an object into a collection (`/api/v1/namespaces`) and tells its watchers. */
  put(collection: string, object: KubeObject): void;
  get(collection: string, name: string): KubeObject | undefined;
  remove(collection: string, name: string): void;
  /** Stops telling watchers, as a watch that has fallen behind does. */
  mute: boolean;
}

export async function startStubCore(): Promise<StubCore> {
  const objects = new Map<string, Map<string, KubeObject>>();
  const watchers = new Set<{ readonly collection: string; readonly response: ServerResponse }>();
  let revision = 1;
  const collectionOf = (path: string): Map<string, KubeObject> => {
    const known = objects.get(path) ?? new Map<string, KubeObject>();
    objects.set(path, known);
    return known;
  };
  const tell = (collection: string, type: string, object: KubeObject): void => {
    if (stub.mute) return;
    for (const watcher of watchers) {
      if (watcher.collection === collection) watcher.response.write(`${JSON.stringify({ type, object })}\n`);
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://stub');
    const reply = (code: number, body: object): void => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.method === 'POST') {
      const review = JSON.parse(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString()) as AskedReview;
      stub.asked.push({ kind: review.kind, spec: review.spec });
      const answer = stub.answer(review);
      if (typeof answer === 'number') reply(answer, failure(answer));
      else if (answer !== undefined) reply(201, { ...review, status: answer });
      return;
    }
    const { pathname } = url;
    if (request.method === 'PUT') {
      const sent = JSON.parse(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString()) as KubeObject;
      const collection = pathname.replace(/\/[^/]+\/status$/, '');
      const stored = objects.get(collection)?.get(sent.metadata.name ?? '');
      if (stored?.metadata.resourceVersion !== sent.metadata.resourceVersion) return reply(409, failure(409));
      stub.put(collection, sent);
      return reply(200, sent);
    }
    if (url.searchParams.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      const watcher = { collection: pathname, response };
      watchers.add(watcher);
      response.on('close', () => watchers.delete(watcher));
      return;
    }
    const listed = objects.get(pathname);
    if (listed !== undefined || /\/(namespaces|configmaps|resourcequotas)$/.test(pathname)) {
      reply(200, { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: String(revision) }, items: [...(listed?.values() ?? [])] });
      return;
    }
    const at = pathname.lastIndexOf('/');
    const found = objects.get(pathname.slice(0, at))?.get(pathname.slice(at + 1));
    reply(found === undefined ? 404 : 200, found ?? failure(404));
  };

  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stub: StubCore = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    answer: () => ({}),
    mute: false,
    put(collection, object) {
      const name = object.metadata.name ?? '';
      const stored = { ...object, metadata: { uid: `uid-${name}`, ...object.metadata, resourceVersion: String(++revision) } };
      const known = collectionOf(collection);
      const type = known.has(name) ? 'MODIFIED' : 'ADDED';
      known.set(name, stored);
      tell(collection, type, stored);
    },
    get: (collection, name) => objects.get(collection)?.get(name),
    remove(collection, name) {
      const old = collectionOf(collection).get(name);
      if (old === undefined) return;
      collectionOf(collection).delete(name);
      tell(collection, 'DELETED', { ...old, metadata: { ...old.metadata, resourceVersion: String(++revision) } });
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return stub;
}

function failure(code: number): object {
  const reason = code === 404 ? 'NotFound' : code === 403 ? 'Forbidden' : code === 409 ? 'Conflict' : 'InternalError';
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, message: `the stub says ${code}`, code };
}
