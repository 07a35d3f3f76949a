import { artifactTypes, artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import { events, secrets } from '@arc/api/core';
import { isStatusReason } from '@arc/apimachinery';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { ConnectionError } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { setTimeout as delay } from 'node:timers/promises';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';
export type Listener = (type: ResourceType, change: ChangeType, object: KubeObject) => void;

const watched = [orders, artifactWorkflows, workflows, cronWorkflows, secrets, endpoints, artifactTypes, clusterArtifactTypes, events];

/** A kind, and by uid its objects as they were told last. */
interface Followed {
  readonly type: ResourceType;
  readonly known: Map<string, KubeObject>;
}

/** Follows every change of what matters, over the death of servers, and tells it in the order of each kind. */
export class ApiHistory implements AsyncDisposable {
  readonly #client: KubeClient;
  readonly #listener: Listener;
  readonly #stop = new AbortController();
  #following: Promise<unknown> = Promise.resolve();
  /** What a watch must never do. */
  readonly complaints: string[] = [];
  /** Changes told so far. */
  changes = 0;

  constructor(client: KubeClient, listener: Listener) {
    this.#client = client;
    this.#listener = listener;
  }

  async start(): Promise<void> {
    const followed = watched.map((type) => ({ type, known: new Map<string, KubeObject>() }));
    const starts = await Promise.all(followed.map(async (kind) => ({ kind, revision: await this.#list(kind) })));
    this.#following = Promise.all(starts.map(({ kind, revision }) => this.#follow(kind, revision)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(kind: Followed, from: string): Promise<void> {
    const { type } = kind;
    const { signal } = this.#stop;
    let revision = from;
    while (!signal.aborted) {
      try {
        for await (const event of this.#client.watch(type, { resourceVersion: revision, allowBookmarks: true, signal })) {
          const told = event.object.metadata.resourceVersion ?? '';
          if (BigInt(told) < BigInt(revision) || (event.type !== 'BOOKMARK' && told === revision)) {
            this.complaints.push(`a watch of ${type.plural} told revision ${told} after ${revision}`);
          }
          revision = told;
          if (event.type !== 'BOOKMARK') this.#tell(kind, event.type as ChangeType, event.object);
        }
      } catch (error) {
        if (signal.aborted) return;
        // The server keeps a bounded history, and where nothing changes the revision grows old.
        if (isStatusReason(error, 'Expired')) revision = await this.#list(kind).catch(() => revision);
        else if (!(error instanceof ConnectionError)) this.complaints.push(`a watch of ${type.plural} failed: ${String(error)}`);
        await delay(20);
      }
    }
  }

  #tell({ type, known }: Followed, change: ChangeType, object: KubeObject): void {
    this.changes += 1;
    if (change === 'DELETED') known.delete(object.metadata.uid ?? '');
    else known.set(object.metadata.uid ?? '', object);
    this.#listener(type, change, object);
  }

  /** Tells the difference to what is known, and returns the revision it is from. */
  async #list(kind: Followed): Promise<string> {
    const { items, metadata } = await this.#client.list(kind.type);
    const listed = new Set(items.map(({ metadata: { uid } }) => uid));
    for (const [uid, object] of kind.known) if (!listed.has(uid)) this.#tell(kind, 'DELETED', object);
    for (const object of items) {
      const old = kind.known.get(object.metadata.uid ?? '');
      if (old === undefined) this.#tell(kind, 'ADDED', object);
      else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) this.#tell(kind, 'MODIFIED', object);
    }
    return metadata.resourceVersion ?? '';
  }
}
