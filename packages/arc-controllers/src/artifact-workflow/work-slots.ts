import type { ArtifactWorkflow } from '@arc/api/arc';
import { arcApiVersion } from '@arc/api/arc';
import { whenAborted } from '@arc/kernel';
import type { Informer, InformerHandler } from '@arc/kube-client';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { controllerOf } from '../metadata/owner.ts';
import { keyOf } from '../metadata/references.ts';

/**
 * Decides whose turn it is: at most `limit` Workflows are under way at once, first come first served. What is under way is
 * read from the Workflows themselves, so a restart forgets nothing but the order of the queue.
 */
export class WorkSlots {
  readonly #limit: number;
  /** Keys of ArtifactWorkflows whose Workflow exists and has not ended. */
  readonly #active = new Set<string>();
  /** Keys that got a slot but whose Workflow has not been seen yet. */
  readonly #reserved = new Set<string>();
  /** Keys in the order they asked. */
  readonly #waiting = new Set<string>();
  readonly #wake: (key: string) => void;

  constructor(limit: number, wake: (key: string) => void) {
    this.#limit = limit;
    this.#wake = wake;
  }

  get limit(): number {
    return this.#limit;
  }

  /** True when the run may start now; otherwise it is queued and woken when its turn comes. */
  tryEnter(key: string): boolean {
    if (this.#active.has(key) || this.#reserved.has(key)) return true;
    this.#waiting.add(key);
    if (!this.#nextInLine().includes(key)) return false;
    this.#waiting.delete(key);
    this.#reserved.add(key);
    return true;
  }

  /** Called when a Workflow of this run is known to exist and not to have ended. */
  entered(key: string): void {
    this.#active.add(key);
    this.#reserved.delete(key);
    this.#waiting.delete(key);
  }

  /** Called when the run has ended or will not start after all. */
  leave(key: string): void {
    const held = [this.#active.delete(key), this.#reserved.delete(key), this.#waiting.delete(key)];
    if (held.includes(true)) for (const next of this.#nextInLine()) this.#wake(next);
  }

  #nextInLine(): string[] {
    const free = this.#limit - this.#active.size - this.#reserved.size;
    return free <= 0 ? [] : [...this.#waiting.values().take(free)];
  }
}

/** Keeps the slots in step with the Workflows that exist. */
export function slotKeeper(slots: WorkSlots): InformerHandler<WorkflowRecord> {
  const keep = (workflow: WorkflowRecord): void => {
    const key = runKeyOf(workflow);
    if (key === undefined) return;
    if (isEnded(workflow.phase)) slots.leave(key);
    else slots.entered(key);
  };
  return {
    added: keep,
    updated: keep,
    deleted: (workflow) => {
      const key = runKeyOf(workflow);
      if (key !== undefined) slots.leave(key);
    },
  };
}

/** True when a Workflow in this phase does not go on. */
export function isEnded(phase: string): boolean {
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Error';
}

/** The key of the ArtifactWorkflow a Workflow belongs to. */
function runKeyOf(workflow: WorkflowRecord): string | undefined {
  const owner = controllerOf(workflow);
  return owner?.kind === 'ArtifactWorkflow' ? keyOf(workflow.metadata.namespace, owner.name) : undefined;
}

/** A source of controller requests that are not caused by a change of an object: whose turn it is. */
export class WakeSource implements Informer<ArtifactWorkflow> {
  readonly #handlers: InformerHandler<ArtifactWorkflow>[] = [];

  wake(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    for (const handler of this.#handlers) {
      handler.added?.({ apiVersion: arcApiVersion, kind: 'ArtifactWorkflow', metadata: { namespace, name } });
    }
  }

  run(signal: AbortSignal): Promise<void> {
    return whenAborted(signal);
  }

  synced(): Promise<void> {
    return Promise.resolve();
  }

  addHandler(handler: InformerHandler<ArtifactWorkflow>): void {
    this.#handlers.push(handler);
  }

  get(): undefined {
    return undefined;
  }

  list(): readonly ArtifactWorkflow[] {
    return [];
  }

  byIndex(): readonly ArtifactWorkflow[] {
    return [];
  }
}
