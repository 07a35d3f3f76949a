import type { ArtifactWorkflow } from '@arc/api/arc';
import { arcApiVersion } from '@arc/api/arc';
import type { KubeObject } from '@arc/apimachinery';
import { whenAborted } from '@arc/kernel';
import type { Informer, InformerHandler } from '@arc/kube-client';
import type { Admission } from '../admission/admission.ts';
import type { ArcInformers } from '../informers/arc-informers.ts';
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
    else if (!workflow.isHeld) admission.entered({ key, namespace, endpoints: workflow.endpoints.map((name) => keyOf(namespace, name)) });
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
  return owner?.kind === 'CronWorkflow' ? scheduledKey(workflow) : undefined;
}

const scheduled = 'cron:';

/** What a run of a schedule waits by: its ArtifactWorkflow may have several, so it is the name of none. */
export function scheduledKey({ metadata }: KubeObject): string {
  return keyOf(metadata.namespace, `${scheduled}${metadata.name}`);
}

/** The ArtifactWorkflows, as namespace/name, that have to be looked at when it is the turn of what waits by this key. */
export function runsOfKey(key: string, informers: Pick<ArcInformers, 'artifactWorkflows' | 'workflows'>): readonly string[] {
  const [namespace = '', name = ''] = key.split('/');
  if (!name.startsWith(scheduled)) return [key];
  const workflow = informers.workflows.get(namespace, name.slice(scheduled.length));
  const owner = workflow === undefined ? undefined : controllerOf(workflow);
  if (owner === undefined) return [];
  const runs = informers.artifactWorkflows.byIndex('cronWorkflow', keyOf(namespace, owner.name));
  return runs.map(({ metadata }) => keyOf(metadata.namespace, metadata.name ?? ''));
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
