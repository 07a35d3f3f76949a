import { ApiStatusError, isStatusReason } from '@arc/apimachinery';
import { codeOf } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

/** As the reference names them (section 3.4). */
export const failedWrites = ['CreationFailed', 'UpdateFailed', 'DeletionFailed'] as const;

type FailedWrite = (typeof failedWrites)[number];

/** Why reconciles fail. */
export interface FailureReasons {
  /** As the one given, but remembers of each error what it was tried for. */
  readonly client: KubeClient;
  /** One of a few words; undefined for what is the normal course of optimistic locking. */
  reasonOf(error: unknown): string | undefined;
}

/** Tells the reasons of failures by which request failed, and otherwise by the error's code. */
export function failureReasons(client: KubeClient): FailureReasons {
  const failed = new WeakMap<object, FailedWrite>();
  const noting = async <R>(reason: FailedWrite, request: Promise<R>): Promise<R> => {
    try {
      return await request;
    } catch (error) {
      if (typeof error === 'object' && error !== null) failed.set(error, reason);
      throw error;
    }
  };
  return {
    client: {
      ...client,
      create: (type, object, options) => noting('CreationFailed', client.create(type, object, options)),
      update: (type, object, options) => noting('UpdateFailed', client.update(type, object, options)),
      updateStatus: (type, object, options) => noting('UpdateFailed', client.updateStatus(type, object, options)),
      patch: (type, ref, patch, options) => noting('UpdateFailed', client.patch(type, ref, patch, options)),
      delete: (type, ref, options) => noting('DeletionFailed', client.delete(type, ref, options)),
    },
    reasonOf(error) {
      if (isStatusReason(error, 'Conflict')) return undefined;
      const write = typeof error === 'object' && error !== null ? failed.get(error) : undefined;
      if (write !== undefined) return write;
      // Words of a server, and of whoever stands before it, are anybody's.
      return error instanceof ApiStatusError ? 'RequestFailed' : (codeOf(error) ?? 'Unexpected');
    },
  };
}
