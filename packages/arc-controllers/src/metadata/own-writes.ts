import type { KubeObject } from '@arc/apimachinery';

/**
 * Knows when an informer shows an object as it was before our own last write. What would be decided from that has been
 * decided already; the event of the write leads to the next look.
 */
export class OwnWrites {
  /** By uid: the resourceVersion the object had when it was written. */
  readonly #before = new Map<string, string>();

  /** Notes that `seen` was written and has become `written`. A write that changed nothing causes no event, so it does not count. */
  note(seen: KubeObject, written: KubeObject): void {
    const { uid = '', resourceVersion } = seen.metadata;
    if (resourceVersion === undefined || written.metadata.resourceVersion === resourceVersion) this.#before.delete(uid);
    else this.#before.set(uid, resourceVersion);
  }

  isBehind(seen: KubeObject): boolean {
    const { uid = '', resourceVersion } = seen.metadata;
    if (resourceVersion !== undefined && this.#before.get(uid) === resourceVersion) return true;
    // It never looks like that again, and there may be thousands.
    this.#before.delete(uid);
    return false;
  }

  forget(object: KubeObject): void {
    this.#before.delete(object.metadata.uid ?? '');
  }
}
