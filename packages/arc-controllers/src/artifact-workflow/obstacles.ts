import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { referenceName } from '@arc/api/arc';
import { controllerOf } from '../metadata/owner.ts';
import { isDeleting } from '../metadata/references.ts';
import type { RunContext } from './context.ts';
import { dryRunRefusal, isDryRun } from './dry-run.ts';

/** What makes a run impossible for good, its spec being immutable, or for as long as its template is what it is. */
export async function refusalOf(
  context: RunContext,
  run: ArtifactWorkflow,
  signal: AbortSignal,
): Promise<{ reason: string; message: string } | undefined> {
  if (referenceName(run.spec?.workflowTemplateRef) === undefined) {
    return { reason: 'InvalidSpec', message: 'spec.workflowTemplateRef.name is empty: there is nothing to run' };
  }
  const message = isDryRun(run) ? await dryRunRefusal(context, run, signal) : undefined;
  return message === undefined ? undefined : { reason: 'DryRunUnsupported', message };
}

/** True while the Order of a run wants nothing to be started. */
export function isSuspended(context: RunContext, run: ArtifactWorkflow): boolean {
  return ownerOf(context, run)?.spec?.suspend === true;
}

/** The Order a run was made for, if it is still that one. */
export function ownerOf(context: RunContext, run: ArtifactWorkflow): Order | undefined {
  const owner = controllerOf(run);
  if (owner?.kind !== 'Order') return undefined;
  const order = context.orders.get(run.metadata.namespace, owner.name);
  return order?.metadata.uid === owner.uid ? order : undefined;
}

/** Which of the Secrets a run mounts does not exist, if any. */
export function missingSecret(context: RunContext, run: ArtifactWorkflow): string | undefined {
  const namespace = run.metadata.namespace ?? '';
  for (const [side, reference] of [['source', run.spec?.srcSecretRef] as const, ['destination', run.spec?.dstSecretRef] as const]) {
    const name = referenceName(reference);
    if (name === undefined) continue;
    const secret = context.secrets.get(namespace, name);
    if (secret === undefined || isDeleting(secret)) {
      return `the ${side} Secret ${JSON.stringify(name)} does not exist in namespace ${JSON.stringify(namespace)}`;
    }
  }
  return undefined;
}
