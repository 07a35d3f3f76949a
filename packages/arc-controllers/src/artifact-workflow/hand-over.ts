import type { ArtifactWorkflow } from '@arc/api/arc';
import { kueuePriorityClassLabel, kueueQueueLabel, referenceName, serviceAccountAnnotation } from '@arc/api/arc';
import { isLabelValue } from '../identity/names.ts';
import { ownValue } from '../metadata/write-status.ts';
import { typeOf } from '../rendered-config/ensure-config.ts';
import { scheduleOfRun } from './build-cron-workflow.ts';
import type { RunContext } from './context.ts';
import { ownerOf } from './obstacles.ts';

/** How Workflows are handed over to whatever runs them, the same for all of an installation. */
export interface HandOverSettings {
  /** Of the Argo controller that is to run them: one with an id takes only what names it, one without only what names none. */
  readonly instanceId?: string;
  /** The ServiceAccount of their pods where the namespace says none. Default: what the template or Argo's configuration says. */
  readonly serviceAccountName?: string;
  /**
   * Who brings the volumes with the credentials. `workflow` (default): the Workflow, in addition to those of its template.
   * `template`: the template, with the names of the Secrets from parameters; an Argo whose `templateReferencing` is `Strict`
   * or `Secure` refuses Workflows that bring any.
   */
  readonly volumesFrom?: 'workflow' | 'template';
  /** What becomes of a run whose Workflow disappears before it has ended: another Workflow (default), or a failure. */
  readonly onVanished?: 'recreate' | 'fail';
}

/** What a Workflow is told beside what its ArtifactWorkflow says. */
export interface HandOver extends HandOverSettings {
  /** Higher goes first; 0 is not written. */
  readonly priority: number;
  /** By which Kueue queues its pods, or the whole of it. */
  readonly queueLabels: Readonly<Record<string, string>>;
  /** Its quota is that of a Workload of its own, so that its pods carry no labels for Kueue. */
  readonly byWorkload: boolean;
  /** Of the Secrets it is given, by name: by these a change is noticed that makes their old values unknown. */
  readonly secretDigests: Readonly<Record<string, string>>;
}

/** What the Order, the type and the namespace of a run say about how it is to be run. */
export function handOverOf(context: RunContext, run: ArtifactWorkflow): HandOver {
  const namespace = context.namespaces.get(undefined, run.metadata.namespace ?? '');
  const order = ownerOf(context, run);
  const queueLabels: Record<string, string> = {};
  for (const label of [kueueQueueLabel, kueuePriorityClassLabel]) {
    // A label of the Order may be younger than the run.
    const value = [order ?? run, namespace].map((object) => ownValue(object?.metadata.labels, label)).find((text) => (text ?? '') !== '');
    if (value !== undefined && isLabelValue(value)) queueLabels[label] = value;
  }
  const serviceAccountName = ownValue(namespace?.metadata.annotations, serviceAccountAnnotation) ?? '';
  return {
    ...context.handOver,
    ...(serviceAccountName !== '' && { serviceAccountName }),
    priority: priorityOf(context, run),
    queueLabels,
    // The engine makes the runs of a schedule, and Kueue queues their pods.
    byWorkload: context.kueue !== undefined && scheduleOfRun(run) === undefined && queueLabels[kueueQueueLabel] !== undefined,
    secretDigests: secretDigestsOf(context, run),
  };
}

function secretDigestsOf(context: RunContext, { metadata, spec }: ArtifactWorkflow): Record<string, string> {
  const names = [spec?.srcSecretRef, spec?.dstSecretRef].map(referenceName).filter((name) => name !== undefined);
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => [name, context.secrets.get(metadata.namespace, name)?.recordedDigest ?? 'unknown']),
  );
}

/** The priority of a run: that of its Order, else of its type, else 0. */
export function priorityOf(context: RunContext, run: ArtifactWorkflow): number {
  const { namespace = '' } = run.metadata;
  return ownerOf(context, run)?.spec?.priority ?? typeOf(context, namespace, run.spec?.type ?? '')?.spec?.priority ?? 0;
}
