import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { ArcError, messageOf } from '@arc/kernel';
import { authenticated, type UserInfo } from './user.ts';

/** The certificates a TLS peer presented, its own first; empty when it presented none. */
export interface PeerCertificates {
  readonly chain: readonly X509Certificate[];
}

/** What the certificates of a peer are worth to one pool of authorities. */
type CertificateAnswer =
  | { readonly kind: 'none' }
  | ValidCertificate
  /** A certificate was presented and does not verify. */
  | { readonly kind: 'invalid'; readonly reason: string };

export interface ValidCertificate {
  readonly kind: 'valid';
  /** CN of the subject; may be empty. */
  readonly commonName: string;
  /** Every O of the subject. */
  readonly organizations: readonly string[];
  /** Hexadecimal, lower case. */
  readonly serialNumber: string;
  /** When all certificates of the chain have become valid, milliseconds since the epoch. */
  readonly begins: number;
  /** When the first certificate of the chain expires, milliseconds since the epoch. */
  readonly expires: number;
}

/** Verifies client certificates against one pool of certificate authorities. */
export interface CertificateVerifier {
  /** Remembers its answer for the same value, as long as all of its certificates are valid. */
  verify(peer: PeerCertificates, now: number): CertificateAnswer;
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
  const roots = blocks.map(readAuthority);
  const answers = new WeakMap<PeerCertificates, CertificateAnswer>();
  return {
    verify(peer, now) {
      const known = answers.get(peer);
      // The clock may have been set back since: connections come and go, the value stays as long as one has it.
      if (known !== undefined && !(known.kind === 'valid' && (now > known.expires || now < known.begins))) return known;
      const answer = verified(peer.chain, roots, now);
      // What does not verify may do so when the clock has been set right.
      if (answer.kind !== 'invalid') answers.set(peer, answer);
      return answer;
    },
  };
}

function readAuthority(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new ArcError('InvalidClientCa', `the client CA bundle holds a certificate that cannot be read: ${messageOf(error)}`, {
      hint: 'Pass the PEM text of the authority that signs client certificates.',
      cause: error,
    });
  }
}

/** Who a certificate stands for: CN is the user, every O a group (wire contract 6.1). Undefined when it names nobody. */
export function userOfCertificate({ commonName, organizations }: ValidCertificate): UserInfo | undefined {
  return commonName === '' ? undefined : authenticated({ name: commonName, groups: organizations });
}

/**
 * Reads what the peers of connections presented. Connections with the same certificates are given the same value, so that
 * those of one client cost memory and a verification once: of each of a thousand watches 12 KB were certificates.
 */
export function peerCertificateReader(): (socket: TLSSocket) => PeerCertificates {
  const known = new Map<string, WeakRef<PeerCertificates>>();
  const unused = new FinalizationRegistry((key: string) => {
    if (known.get(key)?.deref() === undefined) known.delete(key);
  });
  return (socket) => {
    const chain = presentedChain(socket);
    const key = chain.map(({ fingerprint256 }) => fingerprint256).join();
    const same = known.get(key)?.deref();
    if (same !== undefined) return same;
    const peer = { chain };
    known.set(key, new WeakRef(peer));
    unused.register(peer, key);
    return peer;
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

function verified(chain: readonly X509Certificate[], roots: readonly X509Certificate[], now: number): CertificateAnswer {
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) return { kind: 'none' };
  const path = trustedPath(leaf, intermediates, roots);
  if (typeof path === 'string') return { kind: 'invalid', reason: path };
  const outside = purposeProblem(leaf) ?? path.map((certificate) => validityProblem(certificate, now)).find((text) => text !== undefined);
  if (outside !== undefined) return { kind: 'invalid', reason: outside };
  const { subject } = leaf.toLegacyObject();
  return {
    kind: 'valid',
    commonName: [subject.CN].flat().at(-1) ?? '',
    organizations: [subject.O].flat().filter((group) => group !== undefined),
    serialNumber: leaf.serialNumber.toLowerCase(),
    begins: Math.max(...path.map((certificate) => certificate.validFromDate.getTime())),
    expires: Math.min(...path.map((certificate) => certificate.validToDate.getTime())),
  };
}

/** The certificates from the leaf to an authority of the pool, or why there is no such path. */
function trustedPath(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): readonly X509Certificate[] | string {
  const path = [leaf];
  let current = leaf;
  while (path.length <= maxChainLength) {
    const { fingerprint256 } = current;
    if (roots.some((root) => root.fingerprint256 === fingerprint256)) return path;
    const root = roots.find((candidate) => issued(candidate, current));
    if (root !== undefined) return [...path, root];
    const intermediate = intermediates.find((candidate) => candidate.ca && issued(candidate, current));
    if (intermediate === undefined) return 'certificate signed by unknown authority';
    path.push(intermediate);
    current = intermediate;
  }
  return 'certificate chain is too long';
}

function purposeProblem({ keyUsage }: X509Certificate): string | undefined {
  const allowed = keyUsage === undefined || keyUsage.length === 0 || keyUsage.includes(clientAuth) || keyUsage.includes(anyPurpose);
  return allowed ? undefined : 'certificate is not meant for client authentication';
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.fingerprint256 !== subject.fingerprint256 && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function validityProblem(certificate: X509Certificate, now: number): string | undefined {
  if (now < certificate.validFromDate.getTime()) return 'certificate is not yet valid';
  return now > certificate.validToDate.getTime() ? 'certificate has expired' : undefined;
}
