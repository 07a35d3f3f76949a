import type { SecureContextOptions } from 'node:tls';

/** What a client proves itself with; PEM. */
export interface ClientCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What a connection is told of the certificate it presents. */
export function certificateOptions(certificate: ClientCertificate | undefined): SecureContextOptions {
  return certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem };
}
