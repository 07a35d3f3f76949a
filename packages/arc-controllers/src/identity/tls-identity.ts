import type { EndpointTls } from '@arc/api/arc';

/** What of an Endpoint's TLS settings decides whether, and to whom, a transfer connects. */
export interface TlsIdentity {
  /** The certificates, whatever stands around them in whatever order. */
  readonly ca?: readonly string[] | undefined;
  readonly serverName?: string | undefined;
  /** Keyed digest of the Secret with the client certificate. */
  readonly secretDigest?: string | undefined;
}

/** Undefined when the settings say nothing, so that an Endpoint with empty ones is the same as one without. */
export function tlsIdentity(tls: EndpointTls | undefined, secretDigest: string | undefined): TlsIdentity | undefined {
  const { ca = '', serverName = '' } = tls ?? {};
  if (ca === '' && serverName === '' && secretDigest === undefined) return undefined;
  return {
    ...(ca !== '' && { ca: certificatesIn(ca) }),
    ...(serverName !== '' && { serverName: serverName.toLowerCase() }),
    secretDigest,
  };
}

function certificatesIn(pem: string): string[] {
  const blocks = pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return [...new Set([...blocks].map(([, body = '']) => body.replace(/\s+/g, '')))].sort();
}
