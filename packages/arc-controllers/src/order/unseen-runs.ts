import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { artifactWorkflows } from '@arc/api/arc';
import { readIfThere } from '@arc/kube-client';
import { isControlledBy } from '../metadata/owner.ts';
import type { OrderContext } from './context.ts';

/** Whether a run that an informer shows has what was written. */
type HasArrived = (shown: ArtifactWorkflow) => boolean;

/**
 * Runs that were made, or asked to run once more, a moment ago, of which the informer does not show it yet. An Order that asks
 * for something else in that moment would not see that it has a run to end, and would start a second writer beside it. After a
 * crash there are none: a new informer begins with all there is.
 */
export class UnseenRuns {
  /** By uid of the Order, then by name. */
  readonly #written = new Map<string, Map<string, HasArrived>>();

  /** To be called before the write: one that is answered by no answer may have been carried out. */
  note(order: Order, name: string, hasArrived: HasArrived = () => true): void {
    const uid = order.metadata.uid ?? '';
    const written = this.#written.get(uid) ?? new Map<string, HasArrived>();
    this.#written.set(uid, written.set(name, hasArrived));
  }

  /** Those that are not wanted any more, as the server has them; it is asked only then. */
  async unwanted(context: OrderContext, order: Order, wanted: ReadonlySet<string>, signal: AbortSignal): Promise<ArtifactWorkflow[]> {
    const uid = order.metadata.uid ?? '';
    const written = this.#written.get(uid);
    const found: ArtifactWorkflow[] = [];
    for (const [name, hasArrived] of written ?? []) {
      const shown = context.artifactWorkflows.get(order.metadata.namespace, name);
      const isSeen = shown !== undefined && hasArrived(shown);
      if (!isSeen && wanted.has(name)) continue;
      const live = isSeen ? undefined : await read(context, order, name, signal);
      if (live === undefined) written?.delete(name);
      else found.push(live);
    }
    if (written?.size === 0) this.#written.delete(uid);
    return found;
  }

  forget(order: Order): void {
    this.#written.delete(order.metadata.uid ?? '');
  }
}

/** Undefined when there is none, or none of this Order. */
async function read({ client }: OrderContext, order: Order, name: string, signal: AbortSignal): Promise<ArtifactWorkflow | undefined> {
  const ref = { namespace: order.metadata.namespace ?? '', name };
  const live = await readIfThere<ArtifactWorkflow>(client, artifactWorkflows, ref, signal);
  return live !== undefined && isControlledBy(live, order) ? live : undefined;
}
