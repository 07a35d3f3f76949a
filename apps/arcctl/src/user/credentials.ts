import type { KubeObject, UnstructuredObject } from '@arc/apimachinery/client';
import { secrets } from '@arc/api/core';
import { certificateSecretType, credentialNamespace, readCertificateSecret, readTokenSecret, tokenSecretType } from '@arc/apiserver';
import type { KubeClient } from '@arc/kube-client';

/** A token or client certificate somebody was given. */
export interface Credential {
  readonly kind: 'token' | 'certificate';
  /** The name of the Secret that records it. */
  readonly id: string;
  readonly user: string;
  readonly groups: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expires: number;
  readonly revoked: boolean;
}

/** What the server knows of credentials, those that have ended too; by user, then by id. */
export async function listCredentials(client: KubeClient, signal: AbortSignal): Promise<Credential[]> {
  const found: Credential[] = [];
  for (const type of [tokenSecretType, certificateSecretType]) {
    const { items } = await client.list(secrets, { namespace: credentialNamespace, fieldSelector: `type=${type}`, signal });
    found.push(...items.flatMap(credentialOf));
  }
  return found.toSorted((a, b) => (`${a.user}\n${a.id}` < `${b.user}\n${b.id}` ? -1 : 1));
}

function credentialOf(secret: UnstructuredObject): Credential[] {
  const id = secret.metadata.name ?? '';
  const token = readTokenSecret(secret);
  if (token !== undefined) {
    const { user, groups, expires } = token;
    return [{ kind: 'token', id, user, groups, expires, revoked: false }];
  }
  const certificate = readCertificateSecret(secret);
  return certificate === undefined ? [] : [{ kind: 'certificate', id, ...certificate }];
}

export async function recordCredential(client: KubeClient, secret: KubeObject, signal: AbortSignal): Promise<void> {
  await client.create(secrets, secret, { signal });
}
