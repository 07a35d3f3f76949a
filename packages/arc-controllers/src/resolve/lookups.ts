import type { AnyArtifactType, Endpoint } from '@arc/api/arc';
import type { SecretRecord } from '../informers/secret-record.ts';

/** Where the resolution finds what an Order refers to. Objects being deleted may be returned; they count as missing. */
export interface Lookups {
  endpoint(namespace: string, name: string): Endpoint | undefined;
  secret(namespace: string, name: string): SecretRecord | undefined;
  artifactType(namespace: string, name: string): AnyArtifactType | undefined;
  clusterArtifactType(name: string): AnyArtifactType | undefined;
}
