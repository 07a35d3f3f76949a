import type { Descriptor } from '../descriptor/descriptor.ts';
import type { Manifest } from '../descriptor/manifest.ts';

/**
 * What one repository can do, as small capabilities: a registry and a layout directory implement them alike, and the copy
 * engine asks for no more than it needs. Every method throws TransferError, and the reason of its signal.
 */
export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Names the repository in messages: `registry.example.org/team/app`, `oci-layout:///dir/team/app`. */
interface Named {
  readonly name: string;
}

export interface Resolver {
  /** The descriptor a tag or digest stands for, or undefined when there is none. */
  resolve(reference: string, options?: RequestOptions): Promise<Descriptor | undefined>;
}

export interface Fetcher {
  /** Reads a manifest by tag or digest, checked against the digest; undefined when there is none. */
  fetchManifest(reference: string, options?: RequestOptions): Promise<Manifest | undefined>;
  /**
   * Reads a blob. The last piece is handed out only once size and digest of the whole are right, so whoever needs all
   * of it never completes a wrong one.
   */
  fetchBlob(descriptor: Descriptor, options?: RequestOptions): AsyncIterable<Buffer>;
}

export interface ReferrerLister {
  /** Manifests that name `subject` as theirs; their sizes and types are as the registry says them. */
  listReferrers(subject: Descriptor, options?: RequestOptions): Promise<readonly Descriptor[]>;
}

export interface TagLister {
  listTags(options?: RequestOptions): AsyncIterable<string>;
}

export interface Pusher {
  hasBlob(descriptor: Descriptor, options?: RequestOptions): Promise<boolean>;
  /** Stores a blob from a stream that can be read once; nothing is stored when it fails. */
  pushBlob(descriptor: Descriptor, stream: AsyncIterable<Buffer>, options?: RequestOptions): Promise<void>;
  /** Stores a manifest under its digest; what it refers to must be there. Its subject learns of it. */
  pushManifest(manifest: Manifest, options?: RequestOptions): Promise<void>;
}

export interface Tagger {
  /** Stores a manifest and points `tag` at it, in one step. */
  tagManifest(manifest: Manifest, tag: string, options?: RequestOptions): Promise<void>;
}

export interface Mounter {
  /** Repositories that name the same place can mount from each other. */
  readonly mountPoint: { readonly place: string; readonly repository: string };
  /** Takes a blob over from another repository of the same place; false when that is not possible. */
  mountBlob(descriptor: Descriptor, from: string, options?: RequestOptions): Promise<boolean>;
}

export type ReadableRepository = Named & Resolver & Fetcher & ReferrerLister & TagLister & Partial<Pick<Mounter, 'mountPoint'>>;
export type WritableRepository = ReadableRepository & Pusher & Tagger & Partial<Mounter>;
