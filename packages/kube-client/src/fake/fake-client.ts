import type { KindDefinition, KubeList, KubeObject, ResourceType, UnstructuredObject, WatchEvent } from '@arc/apimachinery';
import { apiVersionOf, applyJsonPatch, applyMergePatch, statusError } from '@arc/apimachinery';
import type { Clock } from '@arc/kernel';
import { systemClock } from '@arc/kernel';
import type {
  ClientListOptions,
  ClientWatchOptions,
  DeleteOptions,
  KubeClient,
  ObjectRef,
  PatchType,
  RawRequest,
  RawResponse,
  RequestOptions,
  WriteOptions,
} from '../client.ts';
import { copyOf, ObjectState, resourceOf } from './object-state.ts';
import type { Change } from './object-state.ts';
import { selectorPredicate } from './selectors.ts';

/** What a call asked for, as kept in `FakeClient.requests` and shown to `FakeClient.onRequest`. */
export interface FakeRequest {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection' | 'raw';
  readonly type?: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: 'status' | 'finalize';
  readonly body?: unknown;
  readonly path?: string;
}

export interface FakeClientOptions {
  /** Objects that exist from the start, with the types they belong to. Their status is kept. */
  readonly objects?: readonly (readonly [ResourceType, KubeObject])[];
  /** Definitions that say which kinds have a status subresource. A kind not listed has one. */
  readonly kinds?: readonly KindDefinition[];
  readonly clock?: Clock;
}

/** A KubeClient over an in-memory server, with the handles tests need. */
export interface FakeClient extends KubeClient {
  readonly requests: readonly FakeRequest[];
  /** Called before every request is served; what it throws is what the caller gets. Dispose to stop. */
  onRequest(intercept: (request: FakeRequest) => void | Promise<void>): Disposable;
  /** Answers `raw` requests other than a namespace's finalize; undefined: not mine. */
  onRaw(handle: (request: RawRequest) => RawResponse | undefined): Disposable;
  /** Stores an object as it is, status included, as if another client had done it. Replaces one that exists. */
  put(type: ResourceType, object: KubeObject): KubeObject;
  /** The stored object. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the kind, as with KubeClient.get
  peek<T extends KubeObject = UnstructuredObject>(type: ResourceType, ref: ObjectRef): T | undefined;
  peekAll<T extends KubeObject = UnstructuredObject>(type: ResourceType, namespace?: string): T[];
  /** Ends every open watch, as a restarting server does. */
  disconnect(): void;
  /** Forgets history: resuming a watch or a list from an older revision says 410 Expired. */
  compact(): void;
  /** Sends a bookmark to the watches that asked for them. */
  bookmark(): void;
}

interface WatchSignals {
  wake(): void;
  disconnect(): void;
  bookmark(): void;
}

/**
 * An in-memory server behind the KubeClient contract: revisions and optimistic locks, label and field selectors, paged
 * lists from one snapshot, resumable watches with 410, status subresource, generation, finalizers and deletion
 * timestamps, namespaces that terminate. It does not validate or default against schemas, check that namespaces exist,
 * track managed fields, or collect owned objects.
 */
export function createFakeClient(options: FakeClientOptions = {}): FakeClient {
  const { clock = systemClock, kinds = [], objects = [] } = options;
  const requests: FakeRequest[] = [];
  const interceptors = new Set<(request: FakeRequest) => void | Promise<void>>();
  const rawHandlers = new Set<(request: RawRequest) => RawResponse | undefined>();
  const watches = new Set<WatchSignals>();
  const snapshots = new Map<string, { readonly revision: number; readonly items: readonly KubeObject[] }>();
  let compactedBelow = 0;

  const kindOf = (type: ResourceType): KindDefinition | undefined =>
    kinds.find((kind) => kind.group === type.group && kind.names.plural === type.plural);
  const hasStatus = (type: ResourceType): boolean => kindOf(type)?.subresources?.status ?? kindOf(type) === undefined;
  const state = new ObjectState(clock, hasStatus, () => {
    for (const watch of watches) watch.wake();
  });

  async function begin(request: FakeRequest, signal: AbortSignal | undefined): Promise<void> {
    requests.push(request);
    await Promise.resolve();
    signal?.throwIfAborted();
    for (const intercept of interceptors) await intercept(request);
    signal?.throwIfAborted();
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the kind, as with KubeClient.get
  function output<T extends KubeObject>(object: KubeObject, type: ResourceType, metadataOnly = false): T {
    const { metadata } = object;
    return copyOf({ ...(metadataOnly ? { metadata } : object), apiVersion: apiVersionOf(type), kind: type.kind }) as T;
  }

  async function* watch<T extends KubeObject>(type: ResourceType, options: ClientWatchOptions): AsyncIterable<WatchEvent<T>> {
    const { signal, namespace, resourceVersion } = options;
    const matches = selectorPredicate(options, kindOf(type));
    await begin({ verb: 'watch', type, ...(namespace !== undefined && { namespace }) }, signal);
    let ended = false;
    let bookmarks = 0;
    let wake = (): void => {};
    const signals: WatchSignals = {
      wake: () => wake(),
      disconnect: () => {
        ended = true;
        wake();
      },
      bookmark: () => {
        if (options.allowBookmarks === true) bookmarks += 1;
        wake();
      },
    };
    const onAbort = (): void => signals.disconnect();
    const timer = options.timeoutSeconds === undefined ? undefined : clock.after(options.timeoutSeconds * 1000, onAbort);
    signal?.addEventListener('abort', onAbort, { once: true });
    watches.add(signals);
    try {
      let next = state.log.length;
      if (resourceVersion === '' || resourceVersion === '0') {
        for (const object of state.list(type, namespace).filter(matches)) {
          yield { type: 'ADDED', object: output<T>(object, type, options.metadataOnly) };
        }
      } else {
        const from = Number(resourceVersion);
        if (from < compactedBelow) throw statusError.expired(`too old resource version: ${from} (${compactedBelow})`);
        next = state.log.findIndex((change) => change.revision > from);
        if (next < 0) next = state.log.length;
      }
      for (;;) {
        for (let change = state.log[next]; change !== undefined && !ended; change = state.log[next]) {
          next += 1;
          const event = eventOf(change, resourceOf(type), namespace, matches);
          if (event !== undefined) yield { type: event.type, object: output<T>(event.object, type, options.metadataOnly) };
        }
        if (ended) return;
        for (; bookmarks > 0; bookmarks -= 1) {
          const metadata = { resourceVersion: String(state.revision) };
          yield { type: 'BOOKMARK', object: { apiVersion: apiVersionOf(type), kind: type.kind, metadata } as T };
        }
        if (next < state.log.length || ended) continue;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      watches.delete(signals);
      timer?.[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  function page(type: ResourceType, options: ClientListOptions): KubeList<KubeObject> {
    const { limit = 0, continue: token } = options;
    let snapshot = token === undefined ? undefined : snapshots.get(token);
    if (token !== undefined && (snapshot === undefined || snapshot.revision < compactedBelow)) {
      throw statusError.expired('The provided continue parameter is too old to display a consistent list result.');
    }
    const wanted = Number(options.resourceVersion ?? 0);
    if (wanted > state.revision) throw statusError.resourceVersionTooLarge(wanted, state.revision);
    snapshot ??= { revision: state.revision, items: state.list(type, options.namespace).filter(selectorPredicate(options, kindOf(type))) };
    const items = limit > 0 ? snapshot.items.slice(0, limit) : [...snapshot.items];
    const rest = snapshot.items.slice(items.length);
    const metadata: KubeList['metadata'] = { resourceVersion: String(snapshot.revision) };
    if (rest.length > 0) {
      metadata.continue = `page-${snapshots.size + 1}`;
      if (options.labelSelector === undefined && options.fieldSelector === undefined) metadata.remainingItemCount = rest.length;
      snapshots.set(metadata.continue, { revision: snapshot.revision, items: rest });
    }
    return { apiVersion: apiVersionOf(type), kind: `${type.kind}List`, metadata, items };
  }

  function patched(
    type: ResourceType,
    ref: ObjectRef,
    patch: unknown,
    patchType: PatchType,
    subresource: 'status' | undefined,
  ): KubeObject {
    const current = state.require(type, ref);
    const next = (patchType === 'merge' ? applyMergePatch(current, copyOf(patch)) : applyJsonPatch(current, copyOf(patch))) as KubeObject;
    if (next.metadata.name !== ref.name || next.metadata.namespace !== current.metadata.namespace) {
      throw statusError.badRequest(`the name of the object (${next.metadata.name}) does not match the name on the URL (${ref.name})`);
    }
    next.metadata.resourceVersion ??= current.metadata.resourceVersion ?? '';
    return state.update(type, next, subresource, { dryRun: false });
  }

  async function* emptyBody(): AsyncIterable<Uint8Array> {}

  const client: FakeClient = {
    requests,

    async get<T extends KubeObject = UnstructuredObject>(type: ResourceType, ref: ObjectRef, options: RequestOptions = {}): Promise<T> {
      await begin({ verb: 'get', type, ...ref }, options.signal);
      return output<T>(state.require(type, ref), type);
    },

    async list<T extends KubeObject = UnstructuredObject>(type: ResourceType, options: ClientListOptions = {}): Promise<KubeList<T>> {
      await begin({ verb: 'list', type, ...(options.namespace !== undefined && { namespace: options.namespace }) }, options.signal);
      const { items, ...list } = page(type, options);
      return { ...list, items: items.map((item) => output<T>(item, type, options.metadataOnly)) };
    },

    watch,

    async create<T extends KubeObject>(type: ResourceType, object: T, options: WriteOptions = {}): Promise<T> {
      await begin({ verb: 'create', type, ...refFields(object), body: copyOf(object) }, options.signal);
      return output<T>(state.create(type, object, { dryRun: options.dryRun === true }), type);
    },

    async update<T extends KubeObject>(type: ResourceType, object: T, options: WriteOptions = {}): Promise<T> {
      await begin({ verb: 'update', type, ...refFields(object), body: copyOf(object) }, options.signal);
      return output<T>(state.update(type, object, undefined, { dryRun: options.dryRun === true }), type);
    },

    async updateStatus<T extends KubeObject>(type: ResourceType, object: T, options: WriteOptions = {}): Promise<T> {
      await begin({ verb: 'update', subresource: 'status', type, ...refFields(object), body: copyOf(object) }, options.signal);
      if (!hasStatus(type)) throw statusError.noSuchRoute();
      return output<T>(state.update(type, object, 'status', { dryRun: options.dryRun === true }), type);
    },

    async patch<T extends KubeObject = UnstructuredObject>(
      type: ResourceType,
      ref: ObjectRef,
      patch: unknown,
      options: WriteOptions & { readonly patchType?: PatchType; readonly subresource?: 'status' } = {},
    ): Promise<T> {
      const { patchType = 'merge', subresource } = options;
      await begin({ verb: 'patch', type, ...ref, ...(subresource !== undefined && { subresource }), body: copyOf(patch) }, options.signal);
      return output<T>(patched(type, ref, patch, patchType, subresource), type);
    },

    async delete(type: ResourceType, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
      const { propagationPolicy, preconditions } = options;
      await begin({ verb: 'delete', type, ...ref, body: { propagationPolicy, preconditions } }, options.signal);
      state.delete(type, ref, options, { dryRun: false });
    },

    async deleteCollection(type: ResourceType, options: ClientListOptions & DeleteOptions = {}): Promise<void> {
      const { namespace } = options;
      await begin({ verb: 'deletecollection', type, ...(namespace !== undefined && { namespace }) }, options.signal);
      for (const { metadata } of page(type, options).items) {
        const ref: ObjectRef = { name: metadata.name ?? '', ...(metadata.namespace !== undefined && { namespace: metadata.namespace }) };
        if (state.find(type, ref) !== undefined) state.delete(type, ref, options, { dryRun: false });
      }
    },

    async raw(request: RawRequest): Promise<RawResponse> {
      await begin({ verb: 'raw', path: request.path, body: request.body }, request.signal);
      for (const handle of rawHandlers) {
        const response = handle(request);
        if (response !== undefined) return response;
      }
      const finalize = /^\/api\/v1\/namespaces\/([^/]+)\/finalize$/.exec(request.path);
      if (finalize === null || request.method !== 'PUT') throw statusError.noSuchRoute();
      const body = typeof request.body === 'string' ? request.body : new TextDecoder().decode(request.body);
      state.update(namespaceType, JSON.parse(body) as KubeObject, 'finalize', { dryRun: false });
      return { status: 200, headers: {}, body: emptyBody() };
    },

    onRequest(intercept) {
      interceptors.add(intercept);
      return { [Symbol.dispose]: () => void interceptors.delete(intercept) };
    },
    onRaw(handle) {
      rawHandlers.add(handle);
      return { [Symbol.dispose]: () => void rawHandlers.delete(handle) };
    },
    put: (type, object) => output(state.put(type, object), type),
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the kind, as with KubeClient.get
    peek<T extends KubeObject = UnstructuredObject>(type: ResourceType, ref: ObjectRef): T | undefined {
      const found = state.find(type, ref);
      return found === undefined ? undefined : output<T>(found, type);
    },
    peekAll<T extends KubeObject = UnstructuredObject>(type: ResourceType, namespace?: string): T[] {
      return state.list(type, namespace).map((object) => output<T>(object, type));
    },
    disconnect() {
      for (const watch of watches) watch.disconnect();
    },
    compact() {
      compactedBelow = state.revision;
    },
    bookmark() {
      for (const watch of watches) watch.bookmark();
    },
    async [Symbol.asyncDispose]() {
      client.disconnect();
    },
  };

  for (const [type, object] of objects) client.put(type, object);
  return client;
}

const namespaceType: ResourceType = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };

function refFields(object: KubeObject): { namespace?: string; name?: string } {
  const { namespace, name } = object.metadata;
  return { ...(namespace !== undefined && { namespace }), ...(name !== undefined && { name }) };
}

function eventOf(
  change: Change,
  resource: string,
  namespace: string | undefined,
  matches: (object: KubeObject) => boolean,
): { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject } | undefined {
  if (change.resource !== resource) return undefined;
  const { object, previous } = change;
  const selected = (candidate: KubeObject | undefined): candidate is KubeObject =>
    candidate !== undefined && (namespace === undefined || candidate.metadata.namespace === namespace) && matches(candidate);
  if (selected(object)) return { type: selected(previous) ? 'MODIFIED' : 'ADDED', object };
  if (!selected(previous)) return undefined;
  const metadata = { ...previous.metadata, resourceVersion: String(change.revision) };
  return { type: 'DELETED', object: { ...previous, metadata } };
}
