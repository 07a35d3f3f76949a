import { configDigestAnnotation, configInputsAnnotation } from '@arc/api/arc';
import type { KubeObject } from '@arc/apimachinery';
import { recordedDigest, secretDigest } from '../identity/secret-digest.ts';
import { controllerOf } from '../metadata/owner.ts';
import type { SecretContent } from '../identity/secret-digest.ts';

/** What the controllers keep of a Secret: that it is there, a keyed digest that changes with its content, and what marks it as ours. */
export interface SecretRecord extends KubeObject {
  type: string;
  digest: string;
  /** The digest as it may be written into a status; kept, for every reconcile of every Order asks for it. */
  recordedDigest: string;
}

/** Reduces Secrets as they arrive, so that no value is ever kept. */
export function secretRecorder(key: Uint8Array): (secret: KubeObject & SecretContent) => SecretRecord {
  return (secret) => {
    const { name, namespace, uid, resourceVersion, deletionTimestamp } = secret.metadata;
    const digest = secretDigest(key, secret);
    const ours = controllerOf(secret)?.kind === 'ArtifactWorkflow';
    return {
      apiVersion: secret.apiVersion,
      kind: secret.kind,
      metadata: {
        ...(name !== undefined && { name }),
        ...(namespace !== undefined && { namespace }),
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
        ...(deletionTimestamp !== undefined && { deletionTimestamp }),
        ...(ours && secret.metadata.ownerReferences !== undefined && { ownerReferences: secret.metadata.ownerReferences }),
        ...(ours && { annotations: marksOf(secret) }),
      },
      type: secret.type ?? '',
      digest,
      recordedDigest: recordedDigest(key, { namespace: namespace ?? '', name: name ?? '' }, digest),
    };
  };
}

function marksOf({ metadata }: KubeObject): Record<string, string> {
  const names = [configInputsAnnotation, configDigestAnnotation];
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => names.includes(name)));
}
