import type { ArtifactWorkflow, ArtifactWorkflowSpec } from '@arc/api/arc';
import { dryRunParameter, referenceName } from '@arc/api/arc';
import { controllerOf } from '../metadata/owner.ts';
import { deriveParameters } from '../parameters/derive.ts';
import type { Lookups } from './lookups.ts';
import type { Problem } from './problem.ts';
import { nameOf, resolveTransfer, sideOf, templateOf, worstOf } from './resolve-transfer.ts';
import type { ResolvedTransfer } from './resolve-transfer.ts';

type Hydration =
  | { readonly spec: ArtifactWorkflowSpec; readonly problem?: undefined }
  | { readonly spec?: undefined; readonly problem: Problem; readonly blocked: boolean };

/** True for a run that no Order made and that names a type or Endpoints: what they say has to be looked up and checked. */
export function isByHand(run: ArtifactWorkflow): boolean {
  const { type = '', srcRef, dstRef } = run.spec ?? {};
  return controllerOf(run)?.kind !== 'Order' && (type !== '' || referenceName(srcRef) !== undefined || referenceName(dstRef) !== undefined);
}

/**
 * Completes a run somebody wrote by hand with what its type and Endpoints say, after checking them like those of an Order.
 * What the run says itself stays: its template, its Secrets, its parameters; only the type's parameters win over those.
 */
export function hydrateRun(run: ArtifactWorkflow, lookups: Lookups): Hydration {
  const spec = run.spec ?? {};
  const ownTemplate = referenceName(spec.workflowTemplateRef);
  const transfer = resolveTransfer(
    {
      namespace: run.metadata.namespace ?? '',
      type: spec.type,
      source: referenceName(spec.srcRef),
      destination: referenceName(spec.dstRef),
    },
    lookups,
    { optional: ownTemplate !== undefined },
  );
  if (transfer.problems.length > 0) return worstOf(transfer.problems);
  const { type, source, destination } = transfer;
  const sourceSecret = referenceName(spec.srcSecretRef) ?? (source?.secret === undefined ? undefined : nameOf(source.secret));
  const destinationSecret =
    referenceName(spec.dstSecretRef) ?? (destination?.secret === undefined ? undefined : nameOf(destination.secret));
  return {
    spec: {
      ...spec,
      ...(ownTemplate === undefined && type !== undefined && { workflowTemplateRef: templateOf(type) }),
      parameters: parametersOf(spec, transfer),
      ...(sourceSecret !== undefined && { srcSecretRef: { name: sourceSecret } }),
      ...(destinationSecret !== undefined && { dstSecretRef: { name: destinationSecret } }),
      ...(type?.spec?.renderConfig === true && { renderConfig: true }),
    },
  };
}

function parametersOf(spec: ArtifactWorkflowSpec, { type, source, destination }: ResolvedTransfer): { name: string; value: string }[] {
  const own = (spec.parameters ?? []).map(({ name = '', value = '' }) => ({ name, value }));
  const dryRun = own.some(({ name, value }) => name === dryRunParameter && value === 'true');
  const nowhere = { type: '', remoteURL: '', hasSecret: false };
  const derived = deriveParameters({
    source: source === undefined ? nowhere : sideOf(source),
    destination: destination === undefined ? nowhere : sideOf(destination),
    scheduled: spec.cron !== undefined && spec.cron.disabled !== true,
    dryRun,
    spec: {},
    typeParameters: [],
  });
  const values = new Map(derived.parameters?.map(({ name, value }) => [name, value]));
  if (source === undefined) for (const name of ['srcType', 'srcRemoteURL', 'srcSecret']) values.delete(name);
  if (destination === undefined) for (const name of ['dstType', 'dstRemoteURL', 'dstSecret']) values.delete(name);
  for (const { name, value } of own) values.set(name, value);
  for (const { name = '', value = '' } of type?.spec?.parameters ?? []) {
    if (name !== '' && !(dryRun && name === dryRunParameter)) values.set(name, value);
  }
  return [...values].map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
