import type { SecureContextOptions } from 'node:tls';

/** What a client proves itself with; PEM. */
export interface ClientCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What two requests have to agree in to share a connection. */
export interface ConnectionIdentity {
  readonly certificate: ClientCertificate | undefined;
  /** Authorities the server has to prove itself to; undefined: the system's. PEM. */
  readonly caPem: string | undefined;
}

/** What a connection is told of the certificate it presents, and whom it trusts. */
export function identityOptions({ certificate, caPem }: ConnectionIdentity): SecureContextOptions {
  return {
    ...(certificate !== undefined && { cert: certificate.certPem, key: certificate.keyPem }),
    ...(caPem !== undefined && { ca: caPem }),
  };
}
