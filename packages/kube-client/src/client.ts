import type { KubeList, KubeObject, ResourceType, UnstructuredObject, WatchEvent } from '@arc/apimachinery/client';

export interface ObjectRef {
  /** Absent for cluster-scoped resources. */
  readonly namespace?: string;
  readonly name: string;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

export interface WriteOptions extends RequestOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
}

export interface SelectorOptions extends RequestOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Asks for `PartialObjectMetadata`: objects come with apiVersion and kind of the resource, and metadata only. */
  readonly metadataOnly?: boolean;
}

export interface ClientListOptions extends SelectorOptions {
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface ClientWatchOptions extends SelectorOptions {
  readonly resourceVersion: string;
  readonly allowBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export interface DeleteOptions extends RequestOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export type PatchType = 'merge' | 'json';

/**
 * A Kubernetes-shaped API over HTTP. Every failure is an ApiStatusError when the server answered one, otherwise a
 * `ConnectionError` (retryable). 429 and 5xx with Retry-After are retried a few times before they are thrown.
 */
export interface KubeClient extends AsyncDisposable {
  get<T extends KubeObject = UnstructuredObject>(type: ResourceType, ref: ObjectRef, options?: RequestOptions): Promise<T>;
  list<T extends KubeObject = UnstructuredObject>(type: ResourceType, options?: ClientListOptions): Promise<KubeList<T>>;
  /** Ends when the server closes the stream or the signal aborts. An ERROR event is thrown as ApiStatusError. */
  watch<T extends KubeObject = UnstructuredObject>(type: ResourceType, options: ClientWatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(type: ResourceType, object: T, options?: WriteOptions): Promise<T>;
  /** PUT; `metadata.resourceVersion` of the object is the optimistic lock. */
  update<T extends KubeObject>(type: ResourceType, object: T, options?: WriteOptions): Promise<T>;
  updateStatus<T extends KubeObject>(type: ResourceType, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject = UnstructuredObject>(
    type: ResourceType,
    ref: ObjectRef,
    patch: unknown,
    options?: WriteOptions & { readonly patchType?: PatchType; readonly subresource?: 'status' },
  ): Promise<T>;
  delete(type: ResourceType, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  deleteCollection(type: ResourceType, options?: ClientListOptions & DeleteOptions): Promise<void>;
  /**
   * Any other request; `path` starts with a slash and may carry a query. Answers of 400 and above are thrown as they are
   * by the other calls. The caller reads `body` to its end.
   */
  raw(request: RawRequest): Promise<RawResponse>;
}

export interface RawRequest extends RequestOptions {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}
