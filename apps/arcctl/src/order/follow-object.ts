import { isStatusReason } from '@arc/apimachinery/client';
import type { KubeObject, ResourceType } from '@arc/apimachinery/client';
import { ArcError, backoffDelay, isAbort } from '@arc/kernel';
import type { Clock } from '@arc/kernel';
import type { KubeClient, ObjectRef } from '@arc/kube-client';

export interface FollowOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told when the server cannot be reached for the first time, and with undefined when it answers again. */
  readonly onInterruption?: (error: ArcError | undefined) => void;
}

const retry = { initialMs: 250, maxMs: 5000, jitter: 0.3 } as const;

/**
 * Yields one object as it is now and after every change, undefined while it does not exist. Survives a server that goes
 * away for a while: it goes on asking until the signal aborts, which is thrown.
 */
export async function* followObject<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  { namespace, name }: ObjectRef,
  options: FollowOptions,
): AsyncGenerator<T | undefined> {
  const { clock, signal, onInterruption } = options;
  const selection = { ...(namespace !== undefined && { namespace }), fieldSelector: `metadata.name=${name}`, signal };
  let failures = 0;
  let isInterrupted = false;
  for (;;) {
    signal.throwIfAborted();
    try {
      const { items, metadata } = await client.list<T>(type, selection);
      if (isInterrupted) onInterruption?.(undefined);
      isInterrupted = false;
      failures = 0;
      yield items[0];
      const watchOptions = { ...selection, resourceVersion: metadata.resourceVersion ?? '', timeoutSeconds: 300 };
      for await (const event of client.watch<T>(type, watchOptions)) {
        if (event.type !== 'BOOKMARK') yield event.type === 'DELETED' ? undefined : event.object;
      }
    } catch (error) {
      if (isAbort(error, signal)) throw signal.aborted ? signal.reason : error;
      const isExpired = isStatusReason(error, 'Expired');
      if (!(error instanceof ArcError) || !(error.retryable || isExpired)) throw error;
      if (!isExpired && !isInterrupted) {
        isInterrupted = true;
        onInterruption?.(error);
      }
      await clock.sleep(backoffDelay(failures++, retry), signal);
    }
  }
}
