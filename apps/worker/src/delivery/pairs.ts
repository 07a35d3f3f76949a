/** Which Endpoint types an artifact can come from and go to. */
export interface Pairs {
  readonly source: readonly string[];
  readonly destination: readonly string[];
}

/** The pairs of each step, by the artifact it is for. Every one of them is tried by a test, and listed in docs/reference/pairs.md. */
export const pairs = {
  oci: { source: ['oci'], destination: ['oci'] },
  blob: { source: ['http', 's3', 'file', 'oci'], destination: ['oci', 's3', 'http', 'file'] },
  helm: { source: ['helm', 'oci', 's3', 'file'], destination: ['oci', 'helm', 's3', 'file'] },
} as const satisfies Readonly<Record<string, Pairs>>;
