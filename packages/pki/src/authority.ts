import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ArcError, messageOf, systemClock } from '@arc/kernel';
import type { Clock } from '@arc/kernel';
import { signCertificate, subjectOf } from './certificate.ts';
import type { CertificateTemplate } from './certificate.ts';
import { alternativeNames, distinguishedName } from './subject.ts';

/** A certificate and its private key (PKCS #8), both PEM. `keyPem` is secret: store it with mode 0600. */
export interface CertificateAndKey {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface ValidityOptions {
  readonly clock?: Clock;
  /** Whole days from now. Default: 3650 for authorities, 365 for what they issue; never beyond the authority's own end. */
  readonly validityDays?: number;
}

const dayMs = 86_400_000;
/** Certificates are valid from a little before now, so that a peer whose clock runs behind accepts them. */
const backdateMs = 5 * 60_000;

/** Creates a self-signed ECDSA P-256 authority that may sign certificates but no further authorities. */
export function createAuthority(options: ValidityOptions & { readonly commonName: string }): CertificateAndKey {
  const { publicKey, privateKey } = newKeyPair();
  const subject = distinguishedName(required(options.commonName, 'commonName'));
  const certPem = signCertificate(
    {
      usage: 'authority',
      subject,
      issuer: subject,
      subjectKey: publicKey,
      issuerKey: publicKey,
      ...validity(options, 3650),
    },
    privateKey,
  );
  return { certPem, keyPem: exportKey(privateKey) };
}

/**
 * Issues a TLS server certificate for these DNS names and IP addresses. The common name is the first of them and only for
 * display: clients look at the alternative names.
 *
 * @throws ArcError `InvalidSubjectName`, `InvalidCertificate` (the authority cannot be read)
 */
export function issueServerCertificate(
  authority: CertificateAndKey,
  options: ValidityOptions & { readonly names: readonly string[]; readonly addresses: readonly string[] },
): CertificateAndKey {
  const { names, addresses } = options;
  return issue(authority, options, {
    usage: 'server',
    subject: distinguishedName(required(names[0] ?? addresses[0] ?? '', 'names or addresses')),
    alternativeNames: alternativeNames(names, addresses),
  });
}

/**
 * Issues a TLS client certificate in Kubernetes' reading: CN is the user name, every O a group.
 *
 * @throws ArcError `InvalidSubjectName`, `InvalidCertificate` (the authority cannot be read)
 */
export function issueClientCertificate(
  authority: CertificateAndKey,
  options: ValidityOptions & { readonly user: string; readonly groups: readonly string[] },
): CertificateAndKey {
  const groups = options.groups.map((group) => required(group, 'groups'));
  return issue(authority, options, { usage: 'client', subject: distinguishedName(required(options.user, 'user'), groups) });
}

function issue(
  authority: CertificateAndKey,
  options: ValidityOptions,
  template: Pick<CertificateTemplate, 'usage' | 'subject' | 'alternativeNames'>,
): CertificateAndKey {
  const issuer = loadAuthority(authority);
  const { publicKey, privateKey } = newKeyPair();
  const certPem = signCertificate(
    {
      ...template,
      issuer: subjectOf(issuer.certificate.raw),
      subjectKey: publicKey,
      issuerKey: issuer.certificate.publicKey,
      ...validity(options, 365, issuer.certificate.validToDate.getTime()),
    },
    issuer.key,
  );
  return { certPem, keyPem: exportKey(privateKey) };
}

function loadAuthority(authority: CertificateAndKey): { certificate: X509Certificate; key: KeyObject } {
  const certificate = readCertificate(authority.certPem);
  const key = readPrivateKey(authority.keyPem);
  if (!certificate.ca) throw unusable('the certificate is not an authority');
  if (!createPublicKey(key).equals(certificate.publicKey))
    throw unusable('certificate and private key of the authority do not belong together');
  return { certificate, key };
}

function readPrivateKey(keyPem: string): KeyObject {
  try {
    return createPrivateKey(keyPem);
  } catch {
    // The cause is left out on purpose: it may quote key material.
    throw unusable('the private key cannot be read');
  }
}

/**
 * Reads one PEM certificate.
 *
 * @throws ArcError `InvalidCertificate`
 */
export function readCertificate(certPem: string): X509Certificate {
  try {
    return new X509Certificate(certPem);
  } catch (error) {
    throw unusable(`the certificate cannot be read: ${messageOf(error)}`);
  }
}

function unusable(message: string): ArcError {
  return new ArcError('InvalidCertificate', message, {
    hint: 'Delete certificate and key to have new ones issued, or restore both from a backup.',
  });
}

function validity(
  options: ValidityOptions,
  defaultDays: number,
  latest = Number.POSITIVE_INFINITY,
): { notBefore: number; notAfter: number } {
  const now = (options.clock ?? systemClock).now();
  return { notBefore: now - backdateMs, notAfter: Math.min(latest, now + (options.validityDays ?? defaultDays) * dayMs) };
}

function newKeyPair(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function required(value: string, field: string): string {
  if (value !== '') return value;
  throw new ArcError('InvalidSubjectName', `${field}: a certificate needs a name that is not empty`);
}
