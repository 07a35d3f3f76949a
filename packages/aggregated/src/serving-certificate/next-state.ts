import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Clock } from '@arc/kernel';
import { createAuthority, issueServerCertificate, needsRenewal, type CertificateAndKey } from '@arc/pki';

/** What the Secret of a serving certificate holds, PEM. `tls.key` and `ca.key` are secret. */
export interface ServingState {
  /** The authority that signs now, first, then those that signed before and are still valid. */
  readonly authorities: readonly string[];
  readonly authorityKey: string;
  readonly certificate: string;
  readonly key: string;
}

export interface ServingFacts {
  /** DNS names of the Service. */
  readonly names: readonly string[];
  /** Authorities by which clients check the server now, as far as that is known. */
  readonly trusted: readonly string[];
  readonly clock: Clock;
}

/**
 * What should be kept after `state`, which is returned itself while it is good. An authority is followed by a new one when a third of
 * its life is left, and the certificate is signed by the new one only when clients trust it: at no moment do they refuse what is served.
 */
export function nextServingState(state: ServingState | undefined, { names, trusted, clock }: ServingFacts): ServingState {
  if (state === undefined) return begin(names, clock);
  const [current] = state.authorities;
  if (current === undefined || !isPair(current, state.authorityKey) || needsRenewal(current, { clock })) {
    const { certPem, keyPem } = newAuthority(clock);
    const before = state.authorities.filter((authority) => isValid(authority, clock));
    // What nobody signed for clients is of no use to them: begin anew at once.
    if (before.length === 0) return begin(names, clock);
    return { ...state, authorities: [certPem, ...before], authorityKey: keyPem };
  }
  if (!needsRenewal(state.certificate, { clock, issuerPem: current, names }) && isPair(state.certificate, state.key)) return state;
  const stillGood = state.authorities.some((issuerPem) => !needsRenewal(state.certificate, { clock, issuerPem, names }));
  if (stillGood && isPair(state.certificate, state.key) && !trusted.includes(current)) return state;
  const { certPem, keyPem } = issueServerCertificate({ certPem: current, keyPem: state.authorityKey }, { names, addresses: [], clock });
  return { ...state, certificate: certPem, key: keyPem };
}

function begin(names: readonly string[], clock: Clock): ServingState {
  const authority = newAuthority(clock);
  const { certPem, keyPem } = issueServerCertificate(authority, { names, addresses: [], clock });
  return { authorities: [authority.certPem], authorityKey: authority.keyPem, certificate: certPem, key: keyPem };
}

function newAuthority(clock: Clock): CertificateAndKey {
  // Named apart by their time, as Kubernetes does: who builds a chain finds issuers by their names.
  return createAuthority({ commonName: `arc-apiserver-ca@${Math.floor(clock.now() / 1000)}`, clock });
}

function isValid(certificate: string, clock: Clock): boolean {
  try {
    return new X509Certificate(certificate).validToDate.getTime() > clock.now();
  } catch {
    return false;
  }
}

function isPair(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** The certificates of a PEM file, each by itself, as this file's functions compare them. */
export function splitCertificates(pem: string): readonly string[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((one) => `${one}\n`);
}
