import { allowedEndpointTypes, mayPull, mayPush, referenceName, secretNames } from '@arc/api/arc';
import type { AnyArtifactType, Endpoint, LocalReference } from '@arc/api/arc';
import type { SecretRecord } from '../informers/secret-record.ts';
import type { ParameterSide } from '../parameters/derive.ts';
import type { Lookups } from './lookups.ts';
import { isBlocking } from './problem.ts';
import type { Problem } from './problem.ts';

/** What one transfer refers to, by name; undefined is not referred to. */
export interface TransferRequest {
  readonly namespace: string;
  readonly type: string | undefined;
  readonly source: string | undefined;
  readonly destination: string | undefined;
}

export interface ResolvedTransfer {
  readonly type: AnyArtifactType | undefined;
  readonly source: ResolvedEndpoint | undefined;
  readonly destination: ResolvedEndpoint | undefined;
  /** Empty when all that was asked for is there and goes together. */
  readonly problems: readonly Problem[];
}

/**
 * Looks up what a transfer refers to and checks it: Endpoints and their Secrets exist, their usage fits, the rules of the
 * type accept them. What is not referred to is a problem only when `optional` does not say otherwise.
 */
export function resolveTransfer(
  request: TransferRequest,
  lookups: Lookups,
  options: { readonly optional?: boolean } = {},
): ResolvedTransfer {
  const { namespace } = request;
  const problems: Problem[] = [];
  const side = (name: string | undefined, which: 'source' | 'destination'): ResolvedEndpoint | undefined =>
    name === undefined && options.optional === true ? undefined : resolveEndpoint(namespace, name, which, lookups, problems);
  const source = side(request.source, 'source');
  const destination = side(request.destination, 'destination');
  const typeName = request.type ?? '';
  const type = typeName === '' && options.optional === true ? undefined : resolveType(namespace, typeName, lookups, problems);
  if (source !== undefined && type !== undefined) checkRules(type, source.endpoint, 'source', problems);
  if (destination !== undefined && type !== undefined) checkRules(type, destination.endpoint, 'destination', problems);
  if (type !== undefined && options.optional !== true && referenceName(type.spec?.workflowTemplateRef) === undefined) {
    problems.push({
      reason: 'InvalidArtifactType',
      message: `${type.kind} ${JSON.stringify(nameOf(type))} has no spec.workflowTemplateRef.name`,
    });
  }
  return { type, source, destination, problems };
}

/** Several problems as one: what is wrong comes before what is only missing. */
export function worstOf(problems: readonly Problem[]): { readonly problem: Problem; readonly blocked: boolean } {
  const first = problems.find(({ reason }) => !isBlocking(reason)) ?? problems[0] ?? { reason: 'InvalidSpec', message: '' };
  return {
    problem: { reason: first.reason, message: problems.map(({ message }) => message).join('; ') },
    blocked: problems.every(({ reason }) => isBlocking(reason)),
  };
}

/** The template runs of a type use; a ClusterArtifactType cannot refer to one of a namespace. */
export function templateOf(type: AnyArtifactType): { name: string; clusterScope: boolean } {
  const reference = type.spec?.workflowTemplateRef;
  return {
    name: referenceName(reference) ?? '',
    clusterScope: type.kind === 'ClusterArtifactType' || reference?.clusterScope === true,
  };
}

/** What parameters tell about one side. */
export function sideOf({ endpoint, secret }: ResolvedEndpoint): ParameterSide {
  return { type: endpoint.spec?.type ?? '', remoteURL: endpoint.spec?.remoteURL ?? '', hasSecret: secret !== undefined };
}

export interface ResolvedEndpoint {
  readonly endpoint: Endpoint;
  readonly secret: SecretRecord | undefined;
  /** The Secret of `spec.tls`. */
  readonly tlsSecret: SecretRecord | undefined;
}

/** The Secrets of one side, each once. */
export function secretsOfSide({ secret, tlsSecret }: ResolvedEndpoint): SecretRecord[] {
  return [...new Set([secret, tlsSecret])].filter((one) => one !== undefined);
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
  const found = secretNames(endpoint).map((secretName) => {
    const secret = lookups.secret(namespace, secretName);
    const secretAbsence = absenceOf(secret);
    if (secretAbsence === undefined) return secret;
    problems.push({
      reason: 'MissingSecret',
      message: `the Secret ${JSON.stringify(secretName)} of the ${side} Endpoint ${JSON.stringify(name)} ${secretAbsence} in namespace ${JSON.stringify(namespace)}`,
    });
    return undefined;
  });
  if (found.includes(undefined)) return undefined;
  const named = (reference: LocalReference | undefined): SecretRecord | undefined =>
    found.find((secret) => secret !== undefined && nameOf(secret) === referenceName(reference));
  return { endpoint, secret: named(endpoint.spec?.secretRef), tlsSecret: named(endpoint.spec?.tls?.secretRef) };
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

function absenceOf(object: { readonly metadata: { readonly deletionTimestamp?: string } } | undefined): string | undefined {
  if (object === undefined) return 'does not exist';
  return object.metadata.deletionTimestamp === undefined ? undefined : 'is being deleted';
}

export function nameOf(object: { readonly metadata: { readonly name?: string } }): string {
  return object.metadata.name ?? '';
}
