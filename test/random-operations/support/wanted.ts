import type { AnyArtifactType, Artifact, ArtifactWorkflow, Cron, Endpoint, Order } from '@arc/api/arc';
import { artifactTypeLabel } from '@arc/api/arc';
import type { Secret } from '@arc/api/core';
import type { Behaviour } from './scripted-steps.ts';
import { named } from './stored.ts';
import type { Stored } from './stored.ts';

/** What one artifact to one destination should come to, said without any code of the controllers. */
export type Wanted = { readonly index: number } & (
  | {
      readonly state: 'run';
      /** All that decides the outcome: the same text must always be the same run, another text another. */
      readonly configuration: string;
      /** The part of it that an ArtifactWorkflow shows. */
      readonly visible: string;
      readonly behaviour: Behaviour;
      readonly scheduled: boolean;
      /** A dry run with a template that does not know any. */
      readonly refused: boolean;
    }
  /** Something does not exist, or something does not fit. */
  | { readonly state: 'blocked' | 'wrong'; readonly visible: string }
);

export interface Transfer {
  readonly namespace: string;
  readonly type: string;
  readonly source: string;
  readonly destination: string;
}

interface Found {
  readonly type: AnyArtifactType | undefined;
  readonly source: Endpoint | undefined;
  readonly destination: Endpoint | undefined;
  readonly sourceSecret: Secret | undefined;
  readonly destinationSecret: Secret | undefined;
  readonly state: Wanted['state'];
}

/** Looks up what a transfer refers to. */
export function find(stored: Stored, { namespace, type, source, destination }: Transfer): Found {
  let missing = false;
  let wrong = false;
  const side = (name: string, forbidden: string): { readonly endpoint?: Endpoint; readonly secret?: Secret } => {
    const endpoint = named(stored.endpoints, namespace, name);
    if (endpoint === undefined) {
      missing = true;
      return {};
    }
    if (endpoint.spec?.usage === forbidden) wrong = true;
    const secretName = endpoint.spec?.secretRef?.name;
    if (secretName === undefined) return { endpoint };
    const secret = named(stored.secrets, namespace, secretName);
    if (secret !== undefined) return { endpoint, secret };
    missing = true;
    return {};
  };
  const from = side(source, 'PushOnly');
  const to = side(destination, 'PullOnly');
  const found = named(stored.types, namespace, type) ?? named(stored.clusterTypes, undefined, type);
  if (found === undefined) missing = true;
  const allowed = found?.spec?.rules?.srcTypes ?? [];
  if (from.endpoint !== undefined && allowed.length > 0 && !allowed.includes(from.endpoint.spec?.type ?? '')) wrong = true;
  return {
    type: found,
    source: from.endpoint,
    destination: to.endpoint,
    sourceSecret: from.secret,
    destinationSecret: to.secret,
    state: wrong ? 'wrong' : missing ? 'blocked' : 'run',
  };
}

/** What an Order should come to, each configuration once. */
export function wantedOf(order: Order, stored: Stored): Wanted[] {
  const spec = order.spec ?? {};
  const wanted = new Map<string, Wanted>();
  for (const [index, artifact] of (spec.artifacts ?? []).entries()) {
    for (const destination of new Set(destinationsOf(artifact) ?? destinationsOf(spec.defaults ?? {}) ?? [])) {
      const one = wantedRun(order, { index, artifact, destination }, stored);
      const key = one.state === 'run' ? one.configuration : `${index} ${one.visible}`;
      if (!wanted.has(key)) wanted.set(key, one);
    }
  }
  return [...wanted.values()];
}

function wantedRun(
  order: Order,
  { index, artifact, destination }: { readonly index: number; readonly artifact: Artifact; readonly destination: string },
  stored: Stored,
): Wanted {
  const { namespace = '' } = order.metadata;
  const transfer = {
    namespace,
    type: artifact.type ?? '',
    source: artifact.srcRef?.name ?? order.spec?.defaults?.srcRef?.name ?? '',
    destination,
  };
  const { state, type, source, destination: target, sourceSecret, destinationSecret } = find(stored, transfer);
  const spec = artifact.spec as { readonly image: string; readonly behaviour: Behaviour };
  const asked = [transfer.type, transfer.source, destination, spec.image, spec.behaviour];
  if (state !== 'run') return { index, state, visible: JSON.stringify(asked) };
  const cron = artifact.cron ?? order.spec?.defaults?.cron;
  const scheduled = cron !== undefined && cron.disabled !== true;
  const dryRun = order.spec?.dryRun === true;
  const template = type?.spec?.workflowTemplateRef?.name;
  const level = type?.spec?.parameters?.[0]?.value;
  // Types of the same template and parameters come to the same, whatever their names.
  const visible = JSON.stringify([
    ...asked.slice(1),
    template,
    type?.spec?.renderConfig === true,
    level,
    ...[source, target].flatMap((endpoint) => [endpoint?.spec?.type, endpoint?.spec?.remoteURL]),
    dryRun,
    scheduled ? cronText(cron) : null,
  ]);
  const credentials = [sourceSecret, destinationSecret].map(contentOf);
  const force = scheduled ? undefined : order.status?.lastForceAt;
  return {
    index,
    state,
    configuration: JSON.stringify([visible, credentials, force]),
    visible,
    behaviour: spec.behaviour,
    scheduled,
    refused: dryRun && template === 'copy-for-real',
  };
}

/** What an ArtifactWorkflow of an Order shows, to be compared with what is wanted. */
export function visibleIn({ metadata, spec }: ArtifactWorkflow): { readonly asked: string; readonly visible: string } {
  const value = (name: string): string | undefined => spec?.parameters?.find((parameter) => parameter.name === name)?.value;
  const asked = [metadata.labels?.[artifactTypeLabel], spec?.srcRef?.name, spec?.dstRef?.name, value('specImage'), value('specBehaviour')];
  const cron = spec?.cron === undefined ? null : cronText(spec.cron);
  const rest = [
    spec?.workflowTemplateRef?.name,
    spec?.renderConfig === true,
    value('level'),
    ...['srcType', 'srcRemoteURL', 'dstType', 'dstRemoteURL'].map(value),
    value('dryRun') === 'true',
    cron,
  ];
  return { asked: JSON.stringify(asked), visible: JSON.stringify([...asked.slice(1), ...rest]) };
}

function cronText({ schedules, concurrencyPolicy }: Cron): string {
  return JSON.stringify([schedules, concurrencyPolicy]);
}

function contentOf(secret: Secret | undefined): unknown {
  return secret === undefined ? null : [secret.type, Object.entries(secret.data ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))];
}

function destinationsOf({ dstRef, dstRefs }: Pick<Artifact, 'dstRef' | 'dstRefs'>): string[] | undefined {
  const names = (dstRefs ?? []).map(({ name = '' }) => name);
  if (names.length > 0) return names;
  return dstRef?.name === undefined ? undefined : [dstRef.name];
}
