import type { ArtifactWorkflow } from '@arc/api/arc';
import { arcApiVersion } from '@arc/api/arc';
import { whenAborted } from '@arc/kernel';
import type { Informer, InformerHandler } from '@arc/kube-client';
import type { Admission } from '../admission/admission.ts';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { controllerOf } from '../metadata/owner.ts';
import { keyOf } from '../metadata/references.ts';

/** Keeps the admission in step with the Workflows that exist. */
export function slotKeeper(admission: Admission): InformerHandler<WorkflowRecord> {
  const keep = (workflow: WorkflowRecord): void => {
    const key = runKeyOf(workflow);
    if (key === undefined) return;
    const { namespace = '' } = workflow.metadata;
    if (isEnded(workflow.phase)) admission.leave(key);
    else admission.entered({ key, namespace, endpoints: workflow.endpoints.map((name) => keyOf(namespace, name)) });
  };
  return {
    added: keep,
    updated: keep,
    deleted: (workflow) => {
      const key = runKeyOf(workflow);
      if (key !== undefined) admission.leave(key);
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
  if (owner?.kind === 'ArtifactWorkflow') return keyOf(workflow.metadata.namespace, owner.name);
  // A scheduled run takes a slot without having waited for one; its key is the name of no ArtifactWorkflow.
  return owner?.kind === 'CronWorkflow' ? keyOf(workflow.metadata.namespace, `cron:${workflow.metadata.name}`) : undefined;
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
