/** What a probe has to know of an Endpoint. */
export interface EndpointProbeTarget {
  /** `spec.remoteURL` as it is. */
  readonly remoteURL: string;
  /** `spec.type`. */
  readonly type: string;
  /** `none`: no Secret is named; `unsupported`: it has no username and password. */
  readonly credentials: 'none' | 'unsupported' | { readonly username: string; readonly password: string };
  /** A key of the Secret, for types with keys of their own, as access keys of `s3`; absent when there is no Secret. */
  readonly secretValue?: (key: string) => string | undefined;
  /** PEM, from the Secrets and `spec.tls`; and the name the certificate has to have. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly serverName?: string };
}

/** The content of one condition. Its message holds no secret and nothing the remote side chose. */
export interface EndpointFinding {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface EndpointFindings {
  readonly reachable: EndpointFinding;
  readonly authenticated: EndpointFinding;
}

/**
 * Asks the remote side of an Endpoint whether it answers and knows its credentials, by the rules of the reference, section 3.3. What
 * goes wrong there is a finding; it throws only the reason of the signal.
 */
export type EndpointProbe = (target: EndpointProbeTarget, signal: AbortSignal) => Promise<EndpointFindings>;
