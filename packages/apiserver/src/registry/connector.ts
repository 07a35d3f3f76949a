import type { ExtraSubresource, UnstructuredObject } from '@arc/apimachinery';
import type { UserInfo } from '../authn/user.ts';

export interface ConnectRequest {
  /** Empty for cluster-scoped resources. */
  readonly namespace: string;
  readonly name: string;
  readonly query: URLSearchParams;
  /** Aborts when the client goes away or the server shuts down. */
  readonly signal: AbortSignal;
  /** The stored parent. */
  readonly object: UnstructuredObject;
}

export interface ConnectAnswer {
  readonly contentType: string;
  /** Written and flushed chunk by chunk. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A subresource that streams something other than objects, such as `pods/log`. Shown in discovery as `<plural>/<subresource>`. */
export interface Connector {
  readonly group: string;
  readonly plural: string;
  readonly subresource: string;
  readonly verbs: readonly ('get' | 'create')[];
  /** Media type of a GET, for OpenAPI. Default: JSON. */
  readonly mediaType?: string;
  /** For OpenAPI. */
  readonly description?: string;
  readonly queryParameters?: NonNullable<ExtraSubresource['queryParameters']>;
  /** Errors thrown before the answer (ApiStatusErrors above all) become Status answers. */
  handle(request: ConnectRequest): Promise<ConnectAnswer>;
}

export interface ReviewRequest {
  /** Decoded, pruned and validated. */
  readonly object: UnstructuredObject;
  readonly user: UserInfo;
  readonly signal: AbortSignal;
}

/** Answers the creation of a kind that is never stored, such as SelfSubjectAccessReview. */
export interface ReviewHandler {
  readonly group: string;
  readonly plural: string;
  /** Returns the object with its status filled in. */
  handle(request: ReviewRequest): Promise<UnstructuredObject>;
}
