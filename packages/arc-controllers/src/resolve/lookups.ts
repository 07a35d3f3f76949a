import type { AnyArtifactType, Endpoint } from '@arc/api/arc';
import type { Informer } from '@arc/kube-client';
import type { SecretRecord } from '../informers/secret-record.ts';

/** Where the resolution finds what an Order refers to. Objects being deleted may be returned; they count as missing. */
export interface Lookups {
  endpoint(namespace: string, name: string): Endpoint | undefined;
  secret(namespace: string, name: string): SecretRecord | undefined;
  artifactType(namespace: string, name: string): AnyArtifactType | undefined;
  clusterArtifactType(name: string): AnyArtifactType | undefined;
}

/** The informers the lookups are answered from. */
export interface LookupInformers {
  readonly endpoints: Informer<Endpoint>;
  readonly secrets: Informer<SecretRecord>;
  readonly artifactTypes: Informer<AnyArtifactType>;
  readonly clusterArtifactTypes: Informer<AnyArtifactType>;
}

export function lookupsOf(informers: LookupInformers): Lookups {
  return {
    endpoint: (namespace, name) => informers.endpoints.get(namespace, name),
    secret: (namespace, name) => informers.secrets.get(namespace, name),
    artifactType: (namespace, name) => informers.artifactTypes.get(namespace, name),
    clusterArtifactType: (name) => informers.clusterArtifactTypes.get(undefined, name),
  };
}
