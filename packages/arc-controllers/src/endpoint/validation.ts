import { allowedEndpointTypes, mayPull, mayPush, secretNames } from '@arc/api/arc';
import type { AnyArtifactType, Endpoint } from '@arc/api/arc';
import { isDeleting } from '../metadata/references.ts';
import type { LookupInformers } from '../resolve/lookups.ts';
import type { EndpointFinding } from './probe.ts';

/** Whether an Endpoint can be used as far as ARC knows by itself (reference, section 3.3: Validated). */
export function validation(
  endpoint: Endpoint,
  informers: Pick<LookupInformers, 'secrets' | 'artifactTypes' | 'clusterArtifactTypes'>,
  now: number,
): EndpointFinding {
  const { metadata, spec = {} } = endpoint;
  const end = validUntil(endpoint);
  if (end !== undefined && end <= now)
    return invalid('Expired', `it was valid until ${spec.validUntil}: set spec.validUntil to a later time`);
  const named = secretNames(endpoint);
  for (const secretName of named) {
    const secret = informers.secrets.get(metadata.namespace, secretName);
    if (secret === undefined || isDeleting(secret)) return secretNotFound(endpoint, secretName);
  }
  const types = [...informers.artifactTypes.list(metadata.namespace), ...informers.clusterArtifactTypes.list()];
  if (!types.some((type) => !isDeleting(type) && accepts(type, endpoint))) {
    const { type = '', usage = '' } = spec;
    const side = usage === 'PullOnly' ? 'from' : usage === 'PushOnly' ? 'to' : 'from or to';
    return invalid(
      'UnknownType',
      `no ArtifactType or ClusterArtifactType transfers ${side} Endpoints of type ${JSON.stringify(type)}: correct spec.type, or install a type whose rules name it`,
    );
  }
  return {
    status: 'True',
    reason: 'Valid',
    message: `${named.length === 0 ? '' : named.length === 1 ? 'its Secret exists and ' : 'its Secrets exist and '}an artifact type accepts it`,
  };
}

/** When an Endpoint ends to be valid, milliseconds since the epoch. */
export function validUntil({ spec }: Endpoint): number | undefined {
  const end = Date.parse(spec?.validUntil ?? '');
  return Number.isNaN(end) ? undefined : end;
}

export function secretNotFound({ metadata }: Endpoint, name: string): EndpointFinding {
  return invalid(
    'SecretNotFound',
    `secret ${JSON.stringify(name)} not found in namespace ${JSON.stringify(metadata.namespace)}: create it there`,
  );
}

/** Whether a type may transfer from or to Endpoints of a type, in whatever direction they are used. */
export function mentions(type: AnyArtifactType, endpointType: string): boolean {
  return allows(type, 'source', endpointType) || allows(type, 'destination', endpointType);
}

function accepts(type: AnyArtifactType, { spec }: Endpoint): boolean {
  const endpointType = spec?.type ?? '';
  return (mayPull(spec) && allows(type, 'source', endpointType)) || (mayPush(spec) && allows(type, 'destination', endpointType));
}

function allows({ spec }: AnyArtifactType, side: 'source' | 'destination', endpointType: string): boolean {
  const allowed = allowedEndpointTypes(spec, side);
  return allowed.length === 0 || allowed.includes(endpointType);
}

function invalid(reason: string, message: string): EndpointFinding {
  return { status: 'False', reason, message };
}
