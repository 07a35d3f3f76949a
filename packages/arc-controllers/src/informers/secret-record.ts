import type { KubeObject } from '@arc/apimachinery';
import { secretDigest } from '../identity/secret-digest.ts';
import type { SecretContent } from '../identity/secret-digest.ts';

/** What the controllers keep of a Secret: that it is there, and a keyed digest that changes with its content. */
export interface SecretRecord extends KubeObject {
  type: string;
  digest: string;
}

/** Reduces Secrets as they arrive, so that no value is ever kept. */
export function secretRecorder(key: Uint8Array): (secret: KubeObject & SecretContent) => SecretRecord {
  return (secret) => {
    const { name, namespace, uid, resourceVersion, deletionTimestamp } = secret.metadata;
    return {
      apiVersion: secret.apiVersion,
      kind: secret.kind,
      metadata: {
        ...(name !== undefined && { name }),
        ...(namespace !== undefined && { namespace }),
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
        ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      },
      type: secret.type ?? '',
      digest: secretDigest(key, secret),
    };
  };
}
