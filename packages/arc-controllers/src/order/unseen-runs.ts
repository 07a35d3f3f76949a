import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { artifactWorkflows } from '@arc/api/arc';
import { isStatusReason } from '@arc/apimachinery';
import { refOf } from '../metadata/references.ts';
import type { OrderContext } from './context.ts';

/**
 * Runs that were made a moment ago and that the informer does not show yet. An Order that asks for something else in that
 * moment would not see that it has a run to end, and would start a second writer beside it. After a crash there are none: a
 * new informer begins with all there is.
 */
export class UnseenRuns {
  /** By uid of the Order, then by name. */
  readonly #made = new Map<string, Map<string, ArtifactWorkflow>>();

  note(order: Order, run: ArtifactWorkflow): void {
    const uid = order.metadata.uid ?? '';
    const made = this.#made.get(uid) ?? new Map<string, ArtifactWorkflow>();
    this.#made.set(uid, made.set(run.metadata.name ?? '', run));
  }

  /** Those that are not wanted any more, as the server has them; it is asked only then. */
  async unwanted(context: OrderContext, order: Order, wanted: ReadonlySet<string>, signal: AbortSignal): Promise<ArtifactWorkflow[]> {
    const uid = order.metadata.uid ?? '';
    const made = this.#made.get(uid);
    const found: ArtifactWorkflow[] = [];
    for (const [name, run] of made ?? []) {
      const isSeen = context.artifactWorkflows.get(order.metadata.namespace, name) !== undefined;
      if (!isSeen && wanted.has(name)) continue;
      const live = isSeen ? undefined : await read(context, run, signal);
      if (live === undefined) made?.delete(name);
      else found.push(live);
    }
    if (made?.size === 0) this.#made.delete(uid);
    return found;
  }

  forget(order: Order): void {
    this.#made.delete(order.metadata.uid ?? '');
  }
}

/** Undefined when it is gone, or was replaced. */
async function read({ client }: OrderContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<ArtifactWorkflow | undefined> {
  try {
    const live = await client.get<ArtifactWorkflow>(artifactWorkflows, refOf(run), { signal });
    return live.metadata.uid === run.metadata.uid ? live : undefined;
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
