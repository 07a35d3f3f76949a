import type { X509Certificate } from 'node:crypto';
import { systemClock } from '@arc/kernel';
import type { Clock } from '@arc/kernel';
import { readCertificate } from './authority.ts';
import { addressOctets } from './subject.ts';

export interface RenewalOptions {
  readonly clock?: Clock;
  /** PEM of the authority that must have signed it. */
  readonly issuerPem?: string;
  /** DNS names the certificate must cover. */
  readonly names?: readonly string[];
  /** IP addresses the certificate must cover. */
  readonly addresses?: readonly string[];
}

/**
 * True when a certificate should be replaced: unreadable, not yet valid, less than a third of its life left, signed by
 * another authority, or not covering a name or address it is wanted for.
 */
export function needsRenewal(certPem: string, options: RenewalOptions = {}): boolean {
  const certificate = tryRead(certPem);
  if (certificate === undefined || !isFresh(certificate, (options.clock ?? systemClock).now())) return true;
  if (options.issuerPem !== undefined && !isSignedBy(certificate, options.issuerPem)) return true;
  const { names = [], addresses = [] } = options;
  return (
    names.some((name) => certificate.checkHost(name, { subject: 'never' }) === undefined) ||
    addresses.some((address) => !coversAddress(certificate, address))
  );
}

function tryRead(certPem: string): X509Certificate | undefined {
  try {
    return readCertificate(certPem);
  } catch {
    return undefined;
  }
}

function isFresh(certificate: X509Certificate, now: number): boolean {
  const start = certificate.validFromDate.getTime();
  const end = certificate.validToDate.getTime();
  return now >= start && end - now > (end - start) / 3;
}

function isSignedBy(certificate: X509Certificate, issuerPem: string): boolean {
  const issuer = tryRead(issuerPem);
  return issuer !== undefined && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Compares octets: one IPv6 address has many spellings. */
function coversAddress(certificate: X509Certificate, address: string): boolean {
  const wanted = addressOctets(address);
  return [...(certificate.subjectAltName ?? '').matchAll(/IP Address:([0-9A-Fa-f.:]+)/g)].some(([, found = '']) =>
    addressOctets(found).equals(wanted),
  );
}
