import { allowedEndpointTypes, destinationNames, mayPull, mayPush, referenceName, sourceName } from '@arc/api/arc';
import type { AnyArtifactType, Artifact, ArtifactWorkflowSpec, Endpoint, Order } from '@arc/api/arc';
import type { SecretRecord } from '../informers/secret-record.ts';
import { contentHash, shortHash } from '../identity/content-hash.ts';
import type { EndpointIdentity } from '../identity/content-hash.ts';
import { deriveParameters } from '../parameters/derive.ts';
import type { Lookups } from './lookups.ts';
import { isBlocking } from './problem.ts';
import type { Problem } from './problem.ts';

/** One artifact to one destination: what is asked for, before it is known whether it can be done. */
interface Wish {
  /** Index in the Order's `spec.artifacts`. */
  readonly index: number;
  /** Names what is asked for, whatever the Endpoints, Secrets and types look like at the moment. */
  readonly slot: string;
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
      const outcome = resolveRun(order, { index, artifact, destination, force }, lookups);
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
  readonly force: number | undefined;
}

function resolveRun(order: Order, request: Request, lookups: Lookups): ResolvedRun | UnresolvedRun {
  const { index, artifact } = request;
  const namespace = order.metadata.namespace ?? '';
  const where = `spec.artifacts[${index}]`;
  const asked = [artifact.type, artifact.spec ?? {}, sourceName(order.spec ?? {}, artifact), request.destination];
  const wish: Wish = { index, slot: shortHash('slot', asked) };

  const problems: Problem[] = [];
  const source = resolveEndpoint(namespace, sourceName(order.spec ?? {}, artifact), 'source', lookups, problems);
  const destination = resolveEndpoint(namespace, request.destination, 'destination', lookups, problems);
  const type = resolveType(namespace, artifact.type ?? '', lookups, problems);
  if (source !== undefined && type !== undefined) checkRules(type, source.endpoint, 'source', problems);
  if (destination !== undefined && type !== undefined) checkRules(type, destination.endpoint, 'destination', problems);
  if ((artifact.cron ?? order.spec?.defaults?.cron) !== undefined) {
    problems.push({ reason: 'Unsupported', message: 'scheduled runs are not supported by this version; without cron it runs once' });
  }
  if (source === undefined || destination === undefined || type === undefined || problems.length > 0) {
    return unresolved(wish, where, problems, asked);
  }

  const derived = deriveParameters({
    source: sideOf(source),
    destination: sideOf(destination),
    scheduled: false,
    dryRun: order.spec?.dryRun === true,
    spec: artifact.spec,
    typeParameters: type.spec?.parameters ?? [],
  });
  if (derived.conflict !== undefined) {
    return unresolved(wish, where, [{ reason: 'InvalidSpec', message: derived.conflict }], asked);
  }

  const template = {
    name: referenceName(type.spec?.workflowTemplateRef) ?? '',
    clusterScope: type.kind === 'ClusterArtifactType' || type.spec?.workflowTemplateRef?.clusterScope === true,
  };
  const hash = contentHash({
    namespace,
    template,
    parameters: (type.spec?.parameters ?? []).map(({ name = '', value = '' }) => ({ name, value })),
    spec: artifact.spec ?? {},
    source: identityOf(source),
    destination: identityOf(destination),
    ...(order.spec?.dryRun === true && { dryRun: true }),
    force: request.force,
  });
  const { ttlAfterFinished, ttlAfterFailed } = type.spec ?? {};
  return {
    ...wish,
    hash,
    type: artifact.type ?? '',
    endpoints: [source.endpoint, destination.endpoint],
    secrets: [source.secret, destination.secret].filter((secret) => secret !== undefined),
    spec: {
      workflowTemplateRef: template,
      parameters: derived.parameters,
      ...(source.secret !== undefined && { srcSecretRef: { name: nameOf(source.secret) } }),
      ...(destination.secret !== undefined && { dstSecretRef: { name: nameOf(destination.secret) } }),
      type: artifact.type ?? '',
      srcRef: { name: nameOf(source.endpoint) },
      dstRef: { name: nameOf(destination.endpoint) },
      ...(ttlAfterFinished !== undefined && { ttlAfterFinished }),
      ...(ttlAfterFailed !== undefined && { ttlAfterFailed }),
    },
  };
}

interface ResolvedEndpoint {
  readonly endpoint: Endpoint;
  readonly secret: SecretRecord | undefined;
}

function resolveEndpoint(
  namespace: string,
  name: string | undefined,
  side: 'source' | 'destination',
  lookups: Lookups,
  problems: Problem[],
): ResolvedEndpoint | undefined {
  if (name === undefined) {
    problems.push({ reason: 'InvalidSpec', message: `it names no ${side} Endpoint and the Order has no default` });
    return undefined;
  }
  const endpoint = lookups.endpoint(namespace, name);
  const absence = absenceOf(endpoint);
  if (endpoint === undefined || absence !== undefined) {
    problems.push({
      reason: 'MissingEndpoint',
      message: `the ${side} Endpoint ${JSON.stringify(name)} ${absence} in namespace ${JSON.stringify(namespace)}`,
    });
    return undefined;
  }
  if (side === 'source' ? !mayPull(endpoint.spec) : !mayPush(endpoint.spec)) {
    problems.push({
      reason: 'EndpointUsage',
      message: `Endpoint ${JSON.stringify(name)} is not compatible with ${side} usage: its usage is ${endpoint.spec?.usage}`,
    });
  }
  const secretName = referenceName(endpoint.spec?.secretRef);
  if (secretName === undefined) return { endpoint, secret: undefined };
  const secret = lookups.secret(namespace, secretName);
  const secretAbsence = absenceOf(secret);
  if (secret === undefined || secretAbsence !== undefined) {
    problems.push({
      reason: 'MissingSecret',
      message: `the Secret ${JSON.stringify(secretName)} of the ${side} Endpoint ${JSON.stringify(name)} ${secretAbsence} in namespace ${JSON.stringify(namespace)}`,
    });
    return undefined;
  }
  return { endpoint, secret };
}

function resolveType(namespace: string, name: string, lookups: Lookups, problems: Problem[]): AnyArtifactType | undefined {
  if (name === '') {
    problems.push({ reason: 'InvalidSpec', message: 'it has no type' });
    return undefined;
  }
  const candidates = [lookups.artifactType(namespace, name), lookups.clusterArtifactType(name)];
  const type = candidates.find((candidate) => absenceOf(candidate) === undefined);
  if (type === undefined) {
    const absence = absenceOf(candidates.find((candidate) => candidate !== undefined));
    problems.push({
      reason: 'MissingArtifactType',
      message: `the type ${JSON.stringify(name)} ${absence}, neither as ArtifactType in namespace ${JSON.stringify(namespace)} nor as ClusterArtifactType`,
    });
    return undefined;
  }
  if (referenceName(type.spec?.workflowTemplateRef) === undefined) {
    problems.push({ reason: 'InvalidArtifactType', message: `${type.kind} ${JSON.stringify(name)} has no spec.workflowTemplateRef.name` });
  }
  if (type.spec?.renderConfig === true) {
    problems.push({
      reason: 'Unsupported',
      message: `${type.kind} ${JSON.stringify(name)} asks for renderConfig, which this version does not support`,
    });
  }
  return type;
}

function checkRules(type: AnyArtifactType, endpoint: Endpoint, side: 'source' | 'destination', problems: Problem[]): void {
  const allowed = allowedEndpointTypes(type.spec, side);
  const actual = endpoint.spec?.type ?? '';
  if (allowed.length === 0 || allowed.includes(actual)) return;
  problems.push({
    reason: 'TypeNotAllowed',
    message: `${side} endpoint type ${JSON.stringify(actual)} of Endpoint ${JSON.stringify(nameOf(endpoint))} is not allowed by the rules of ${type.kind} ${JSON.stringify(nameOf(type))} (allowed: ${allowed.join(', ')})`,
  });
}

function unresolved(wish: Wish, where: string, problems: readonly Problem[], asked: unknown): UnresolvedRun {
  const first = problems.find(({ reason }) => !isBlocking(reason)) ?? problems[0] ?? { reason: 'InvalidSpec', message: '' };
  return {
    ...wish,
    key: shortHash('unresolved', [wish.index, asked]),
    problem: { reason: first.reason, message: `${where}: ${problems.map(({ message }) => message).join('; ')}` },
    blocked: problems.every(({ reason }) => isBlocking(reason)),
  };
}

function absenceOf(object: { readonly metadata: { readonly deletionTimestamp?: string } } | undefined): string | undefined {
  if (object === undefined) return 'does not exist';
  return object.metadata.deletionTimestamp === undefined ? undefined : 'is being deleted';
}

function sideOf({ endpoint, secret }: ResolvedEndpoint): { type: string; remoteURL: string; hasSecret: boolean } {
  return { type: endpoint.spec?.type ?? '', remoteURL: endpoint.spec?.remoteURL ?? '', hasSecret: secret !== undefined };
}

function identityOf({ endpoint, secret }: ResolvedEndpoint): EndpointIdentity {
  return {
    kind: 'Endpoint',
    name: nameOf(endpoint),
    type: endpoint.spec?.type ?? '',
    url: endpoint.spec?.remoteURL ?? '',
    secretDigest: secret?.digest,
  };
}

function nameOf(object: { readonly metadata: { readonly name?: string } }): string {
  return object.metadata.name ?? '';
}
