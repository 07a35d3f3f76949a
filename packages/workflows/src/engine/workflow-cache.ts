import type { Workflow } from '@arc/api/argo';
import type { ReconcileRequest } from '@arc/controller';
import type { Informer } from '@arc/kube-client';

/** The newest known content of each Workflow: what the informer saw, or what the engine itself wrote since. */
export class WorkflowCache {
  readonly #informer: Informer<Workflow>;
  readonly #written = new Map<string, Workflow>();

  constructor(informer: Informer<Workflow>) {
    this.#informer = informer;
  }

  get(request: ReconcileRequest): Workflow | undefined {
    const seen = this.#informer.get(request.namespace, request.name);
    const written = this.#written.get(keyOf(request));
    if (seen === undefined || written === undefined) return seen;
    if (isNewer(written, seen)) return written;
    this.#written.delete(keyOf(request));
    return seen;
  }

  /** Keeps what a write or a fresh read returned. */
  put(workflow: Workflow): void {
    const { namespace, name = '' } = workflow.metadata;
    this.#written.set(keyOf({ name, ...(namespace !== undefined && { namespace }) }), workflow);
  }

  /** True for the echo of the last write of our own; from then on the informer has what was written. */
  takeEcho(workflow: Workflow): boolean {
    const { namespace, name = '', resourceVersion } = workflow.metadata;
    const key = keyOf({ name, ...(namespace !== undefined && { namespace }) });
    if (this.#written.get(key)?.metadata.resourceVersion !== resourceVersion) return false;
    this.#written.delete(key);
    return true;
  }

  forget(request: ReconcileRequest): void {
    this.#written.delete(keyOf(request));
  }
}

function keyOf({ namespace, name }: ReconcileRequest): string {
  return `${namespace ?? ''}/${name}`;
}

/** Revisions are decimal and ordered (ObjectMeta.resourceVersion). */
function isNewer(left: Workflow, right: Workflow): boolean {
  return BigInt(left.metadata.resourceVersion ?? '0') > BigInt(right.metadata.resourceVersion ?? '0');
}
