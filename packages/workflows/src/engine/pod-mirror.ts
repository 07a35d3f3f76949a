import type { Pod } from '@arc/api/core';
import { pods } from '@arc/api/core';
import { ApiStatusError, isStatusReason } from '@arc/apimachinery';
import type { Clock, Logger } from '@arc/kernel';
import { backoffDelay, messageOf } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

interface Mirrored {
  readonly pod: Pod | undefined;
  readonly ref: { readonly namespace: string; readonly name: string };
  wanted: NonNullable<Pod['status']>;
  created: boolean;
  working: boolean;
}

const attempts = 5;

/**
 * Shows each step as a Pod object, beside the path that runs it: a slow or refused write never holds up a step. Of
 * several changes of one pod only the last is written.
 */
export class PodMirror {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pods = new Map<string, Mirrored>();
  readonly #pending = new Set<Promise<void>>();

  constructor(client: KubeClient, options: { readonly clock: Clock; readonly logger: Logger }) {
    this.#client = client;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** The step has been started: its Pod is created if it does not exist. */
  started(pod: Pod, status: NonNullable<Pod['status']>): void {
    const { namespace = '', name = '' } = pod.metadata;
    this.#want({ pod, ref: { namespace, name }, wanted: status, created: false, working: false });
  }

  /** The step has gone on or ended. A Pod that does not exist any more is not made again. */
  changed(ref: { readonly namespace: string; readonly name: string }, status: NonNullable<Pod['status']>): void {
    this.#want({ pod: undefined, ref, wanted: status, created: true, working: false });
  }

  /** Resolves when everything wanted so far has been written or given up. */
  async flush(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  #want(next: Mirrored): void {
    const key = `${next.ref.namespace}/${next.ref.name}`;
    const known = this.#pods.get(key);
    if (known === undefined || (next.pod !== undefined && !known.working)) {
      this.#pods.set(key, next);
    } else {
      known.wanted = next.wanted;
      if (known.working) return;
    }
    const entry = this.#pods.get(key) ?? next;
    entry.working = true;
    const work = this.#write(key, entry).finally(() => this.#pending.delete(work));
    this.#pending.add(work);
  }

  async #write(key: string, entry: Mirrored): Promise<void> {
    for (let written: unknown; written !== entry.wanted;) {
      const status = entry.wanted;
      await this.#insist(entry, async () => {
        if (!entry.created && entry.pod !== undefined) await this.#create(entry.pod);
        entry.created = true;
        await this.#client.patch(pods, entry.ref, { status }, { subresource: 'status' });
      });
      written = status;
    }
    entry.working = false;
    if (entry.wanted.phase === 'Succeeded' || entry.wanted.phase === 'Failed') this.#pods.delete(key);
  }

  async #create(pod: Pod): Promise<void> {
    try {
      await this.#client.create(pods, pod);
    } catch (error) {
      if (!isStatusReason(error, 'AlreadyExists')) throw error;
    }
  }

  async #insist({ ref }: Mirrored, write: () => Promise<void>): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        return await write();
      } catch (error) {
        const isFinal = error instanceof ApiStatusError && error.httpCode < 500 && error.httpCode !== 429 && error.httpCode !== 409;
        if (isFinal || failures + 1 >= attempts) {
          const level = isFinal ? 'debug' : 'warn';
          this.#logger[level]('a step could not be shown as a pod', { ...ref, error: messageOf(error) });
          return;
        }
        await this.#clock.sleep(backoffDelay(failures, { initialMs: 50, maxMs: 2000 }));
      }
    }
  }
}
