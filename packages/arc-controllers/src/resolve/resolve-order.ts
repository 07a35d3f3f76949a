import { destinationNames, scheduleOf, sourceName } from '@arc/api/arc';
import type { Artifact, ArtifactWorkflowSpec, Cron, Endpoint, Order } from '@arc/api/arc';
import type { SecretRecord } from '../informers/secret-record.ts';
import { contentHash, shortHash } from '../identity/content-hash.ts';
import type { EndpointIdentity } from '../identity/content-hash.ts';
import { tlsIdentity } from '../identity/tls-identity.ts';
import { deriveParameters } from '../parameters/derive.ts';
import type { Lookups } from './lookups.ts';
import type { Problem } from './problem.ts';
import { nameOf, resolveTransfer, secretsOfSide, sideOf, templateOf, worstOf } from './resolve-transfer.ts';
import type { ResolvedEndpoint } from './resolve-transfer.ts';

/** One artifact to one destination: what is asked for, before it is known whether it can be done. */
interface Wish {
  /** Index in the Order's `spec.artifacts`. */
  readonly index: number;
  /** Names what is asked for, whatever the Endpoints, Secrets and types look like at the moment. */
  readonly slot: string;
  /** The Endpoint it goes to, where the artifact goes to several. */
  readonly destination?: string;
}

export interface ResolvedRun extends Wish {
  /** Content identity; with the Order's name the name of the ArtifactWorkflow. */
  readonly hash: string;
  readonly type: string;
  readonly spec: ArtifactWorkflowSpec;
  readonly endpoints: readonly Endpoint[];
  readonly secrets: readonly SecretRecord[];
}

export interface UnresolvedRun extends Wish {
  /** Key of the entry in the Order's status. */
  readonly key: string;
  readonly problem: Problem;
  /** True when all that is wrong is that something does not exist. */
  readonly blocked: boolean;
}

export interface Resolution {
  readonly runs: readonly ResolvedRun[];
  readonly unresolved: readonly UnresolvedRun[];
}

/**
 * Works out what an Order asks for: one run per artifact and destination, or what keeps it from being run. Artifacts
 * never influence each other, but those that come to the same are one run (the first index stands for all). Another
 * `force` makes every run a new one.
 */
export function resolveOrder(order: Order, lookups: Lookups, force?: number): Resolution {
  const runs = new Map<string, ResolvedRun>();
  const unresolved = new Map<string, UnresolvedRun>();
  const spec = order.spec ?? {};
  for (const [index, artifact] of (spec.artifacts ?? []).entries()) {
    const destinations = destinationNames(spec, artifact);
    for (const destination of destinations.length > 0 ? destinations : [undefined]) {
      const outcome = resolveRun(order, { index, artifact, destination, isOneOfMany: destinations.length > 1, force }, lookups);
      if ('hash' in outcome) {
        if (!runs.has(outcome.hash)) runs.set(outcome.hash, outcome);
      } else if (!unresolved.has(outcome.key)) unresolved.set(outcome.key, outcome);
    }
  }
  return { runs: [...runs.values()], unresolved: [...unresolved.values()] };
}

interface Request {
  readonly index: number;
  readonly artifact: Artifact;
  readonly destination: string | undefined;
  readonly isOneOfMany: boolean;
  readonly force: number | undefined;
}

function resolveRun(order: Order, request: Request, lookups: Lookups): ResolvedRun | UnresolvedRun {
  const { index, artifact } = request;
  const namespace = order.metadata.namespace ?? '';
  const where = `spec.artifacts[${index}]`;
  const asked = [artifact.type, artifact.spec ?? {}, sourceName(order.spec ?? {}, artifact), request.destination];
  const wish: Wish = { index, slot: shortHash('slot', asked), ...(request.isOneOfMany && { destination: request.destination ?? '' }) };

  const transfer = resolveTransfer(
    { namespace, type: artifact.type, source: sourceName(order.spec ?? {}, artifact), destination: request.destination },
    lookups,
  );
  const { source, destination, type } = transfer;
  const problems: readonly Problem[] = transfer.problems;
  const cron = scheduleOf(order.spec ?? {}, artifact);
  if (source === undefined || destination === undefined || type === undefined || problems.length > 0) {
    return unresolved(wish, where, problems, asked);
  }

  const derived = deriveParameters({
    source: sideOf(source),
    destination: sideOf(destination),
    scheduled: cron !== undefined,
    dryRun: order.spec?.dryRun === true,
    spec: artifact.spec,
    typeParameters: type.spec?.parameters ?? [],
  });
  if (derived.conflict !== undefined) {
    return unresolved(wish, where, [{ reason: 'InvalidSpec', message: derived.conflict }], asked);
  }

  const template = templateOf(type);
  const renderConfig = type.spec?.renderConfig === true;
  const hash = contentHash({
    namespace,
    template,
    parameters: (type.spec?.parameters ?? []).map(({ name = '', value = '' }) => ({ name, value })),
    spec: artifact.spec ?? {},
    source: identityOf(source),
    destination: identityOf(destination),
    ...(order.spec?.dryRun === true && { dryRun: true }),
    ...(renderConfig && { renderConfig }),
    ...(cron !== undefined && { cron: withoutEmpty(cron) }),
    // What is scheduled runs out of turn instead; its schedule goes on.
    force: cron === undefined ? request.force : undefined,
  });
  const { ttlAfterFinished, ttlAfterFailed } = type.spec ?? {};
  return {
    ...wish,
    hash,
    type: artifact.type ?? '',
    endpoints: [source.endpoint, destination.endpoint],
    secrets: [...secretsOfSide(source), ...secretsOfSide(destination)],
    spec: {
      workflowTemplateRef: template,
      parameters: derived.parameters,
      ...(source.secret !== undefined && { srcSecretRef: { name: nameOf(source.secret) } }),
      ...(destination.secret !== undefined && { dstSecretRef: { name: nameOf(destination.secret) } }),
      ...(renderConfig && { renderConfig }),
      ...(cron !== undefined && { cron: withoutEmpty(cron) }),
      type: artifact.type ?? '',
      srcRef: { name: nameOf(source.endpoint) },
      dstRef: { name: nameOf(destination.endpoint) },
      ...(ttlAfterFinished !== undefined && { ttlAfterFinished }),
      ...(ttlAfterFailed !== undefined && { ttlAfterFailed }),
    },
  };
}

/** User interfaces write empty fields for what nobody has filled in. */
function withoutEmpty({ timezone = '', concurrencyPolicy = '', startingDeadlineSeconds, schedules = [], when = '' }: Cron): Cron {
  return {
    schedules: [...schedules],
    ...(timezone !== '' && { timezone }),
    ...(concurrencyPolicy !== '' && { concurrencyPolicy }),
    ...(startingDeadlineSeconds !== undefined && { startingDeadlineSeconds }),
    ...(when !== '' && { when }),
  };
}

function unresolved(wish: Wish, where: string, problems: readonly Problem[], asked: unknown): UnresolvedRun {
  const { problem, blocked } = worstOf(problems);
  return {
    ...wish,
    key: shortHash('unresolved', [wish.index, asked]),
    problem: { ...problem, message: `${where}: ${problem.message}` },
    blocked,
  };
}

function identityOf({ endpoint, secret, tlsSecret }: ResolvedEndpoint): EndpointIdentity {
  return {
    kind: 'Endpoint',
    name: nameOf(endpoint),
    type: endpoint.spec?.type ?? '',
    url: endpoint.spec?.remoteURL ?? '',
    secretDigest: secret?.digest,
    tls: tlsIdentity(endpoint.spec?.tls, tlsSecret?.digest),
  };
}
