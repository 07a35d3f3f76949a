import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { TlsIdentity } from './tls-identity.ts';

/** One side of a transfer, reduced to what decides its outcome. */
export interface EndpointIdentity {
  readonly kind: 'Endpoint';
  readonly name: string;
  readonly type: string;
  readonly url: string;
  /** Keyed digest of the Secret's type and data; absent when the Endpoint has none. */
  readonly secretDigest?: string | undefined;
  /** Absent when the Endpoint says nothing about TLS. */
  readonly tls?: TlsIdentity | undefined;
}

/** All that decides the outcome of a run. What is not in here (labels, priority, order of keys) never causes a new run. */
export interface RunIdentity {
  readonly namespace: string;
  readonly template: { readonly name: string; readonly clusterScope: boolean };
  /** The type's own parameters. */
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  readonly spec: unknown;
  readonly source: EndpointIdentity;
  readonly destination: EndpointIdentity;
  /** Set for runs that transfer nothing. */
  readonly dryRun?: true | undefined;
  /** Set for runs that get their configuration as a Secret. */
  readonly renderConfig?: true | undefined;
  /** Set for runs that are scheduled; without what is empty. */
  readonly cron?: object | undefined;
  /** The force-at value that is in force. */
  readonly force?: number | undefined;
}

/** The content identity of an ArtifactWorkflow: 16 hex digits, equal for equal configurations (design, section 5). */
export function contentHash(identity: RunIdentity): string {
  const parameters = [...identity.parameters].sort((a, b) => (a.name < b.name ? -1 : 1));
  return shortHash('run', { ...identity, parameters });
}

/** First 16 hex digits of SHA-256 over the canonical form of a value; `domain` keeps different uses apart. */
export function shortHash(domain: string, value: unknown): string {
  return createHash('sha256')
    .update(`${domain}\n${canonicalJson(value)}`)
    .digest('hex')
    .slice(0, 16);
}
