import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { ArcError } from '@arc/kernel';
import { authenticated, type UserInfo } from './user.ts';

/** What the TLS peer proved about itself. */
export type PeerIdentity =
  | { readonly kind: 'none' }
  /** `expires`: end of the certificate's validity, milliseconds since the epoch. `serialNumber`: hexadecimal, lower case. */
  | { readonly kind: 'user'; readonly user: UserInfo; readonly expires: number; readonly serialNumber: string }
  /** A certificate was presented and does not verify. */
  | { readonly kind: 'invalid'; readonly reason: string };

/** Verifies client certificates against one pool of certificate authorities. */
export interface CertificateVerifier {
  identify(socket: TLSSocket, now: number): PeerIdentity;
}

const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyPurpose = '2.5.29.37.0';
const maxChainLength = 8;

/**
 * @param bundle PEM of one or more certificate authorities.
 * @throws ArcError `InvalidClientCa` when the bundle holds no certificate.
 */
export function certificateVerifier(bundle: string): CertificateVerifier {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    throw new ArcError('InvalidClientCa', 'the client CA bundle holds no certificate', {
      hint: 'Pass the PEM text of the authority that signs client certificates.',
    });
  }
  const roots = blocks.map((block) => new X509Certificate(block));
  return {
    identify(socket, now) {
      const chain = presentedChain(socket);
      const [leaf] = chain;
      if (leaf === undefined) return { kind: 'none' };
      const reason = chainProblem(leaf, chain.slice(1), roots, now);
      return reason === undefined ? identityOf(leaf) : { kind: 'invalid', reason };
    },
  };
}

function presentedChain(socket: TLSSocket): X509Certificate[] {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return [];
  const chain = [leaf];
  const seen = new Set([leaf.fingerprint256]);
  let next = socket.getPeerCertificate(true).issuerCertificate;
  while (next?.raw !== undefined && chain.length < maxChainLength && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  return chain;
}

function chainProblem(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): string | undefined {
  const purposes = leaf.keyUsage;
  if (purposes !== undefined && purposes.length > 0 && !purposes.includes(clientAuth) && !purposes.includes(anyPurpose)) {
    return 'certificate is not meant for client authentication';
  }
  let current = leaf;
  for (let depth = 0; depth < maxChainLength; depth++) {
    const outside = validityProblem(current, now);
    if (outside !== undefined) return outside;
    if (roots.some((root) => root.fingerprint256 === current.fingerprint256)) return undefined;
    const root = roots.find((candidate) => issued(candidate, current));
    if (root !== undefined) return validityProblem(root, now);
    const intermediate = intermediates.find((candidate) => candidate.ca && issued(candidate, current));
    if (intermediate === undefined) return 'certificate signed by unknown authority';
    current = intermediate;
  }
  return 'certificate chain is too long';
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.fingerprint256 !== subject.fingerprint256 && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function validityProblem(certificate: X509Certificate, now: number): string | undefined {
  if (now < certificate.validFromDate.getTime()) return 'certificate is not yet valid';
  return now > certificate.validToDate.getTime() ? 'certificate has expired' : undefined;
}

function identityOf(leaf: X509Certificate): PeerIdentity {
  const { subject } = leaf.toLegacyObject();
  const name = [subject.CN].flat().at(-1) ?? '';
  if (name === '') return { kind: 'invalid', reason: 'certificate has no common name' };
  const groups = [subject.O].flat().filter((group) => group !== undefined);
  return {
    kind: 'user',
    user: authenticated({ name, groups }),
    expires: leaf.validToDate.getTime(),
    serialNumber: leaf.serialNumber.toLowerCase(),
  };
}
