export { createAuthority, issueClientCertificate, issueServerCertificate } from './authority.ts';
export type { CertificateAndKey, ValidityOptions } from './authority.ts';
export { needsRenewal } from './renewal.ts';
export type { RenewalOptions } from './renewal.ts';
export { openCertificateFolder } from './certificate-folder.ts';
export type { CertificateFolder } from './certificate-folder.ts';
