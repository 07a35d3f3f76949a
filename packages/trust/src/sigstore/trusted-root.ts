import { type KeyObject, X509Certificate } from 'node:crypto';
import { ArcError, messageOf } from '@arc/kernel';
import type { Bundle } from '@sigstore/bundle';
import type { TrustedRoot } from '@sigstore/protobuf-specs';
import type { SignedEntity } from '@sigstore/verify';
import type { CertificateIdentity } from './identity.ts';
import type { SignedContent } from '../evidence/evidence.ts';
import { EvidenceError } from '../evidence/untrusted.ts';

/** Authorities and logs that are trusted, carried along as `trusted_root.json`; nothing is fetched. */
export interface KeylessVerifier {
  /**
   * Checks certificate chain, signature, log entries and timestamps at the time of signing, and says who signed.
   *
   * @throws EvidenceError
   */
  verify(content: SignedContent): CertificateIdentity;
  /**
   * Checks that a signature by `key` is in a log, and that its entry is about this signature.
   *
   * @throws EvidenceError
   */
  verifyLogged(content: SignedContent, key: KeyObject): void;
}

/**
 * Opens a trusted root (Sigstore's `TrustedRoot`). What it lists is demanded: an entry of a log where it lists logs, a signed certificate
 * timestamp where it lists logs of certificates; in any case a time of signing that a log or an authority signed.
 *
 * @throws ArcError `InvalidTrustedRoot`
 */
export async function openTrustedRoot(document: unknown, where: string): Promise<KeylessVerifier> {
  const [{ TrustedRoot }, { toSignedEntity, toTrustMaterial, Verifier }, { bundleFromJSON }] = await Promise.all([
    import('@sigstore/protobuf-specs'),
    import('@sigstore/verify'),
    import('@sigstore/bundle'),
  ]);
  let root: TrustedRoot;
  let verifier: InstanceType<typeof Verifier>;
  let authorities: readonly X509Certificate[];
  try {
    if (typeof document !== 'object' || document === null) throw new Error('it is not an object');
    root = TrustedRoot.fromJSON(document);
    if (root.certificateAuthorities.length === 0) throw new Error('it lists no certificate authority');
    if (root.tlogs.length === 0 && root.timestampAuthorities.length === 0)
      throw new Error('it lists neither a log nor a timestamp authority, so the time of signing cannot be known');
    authorities = root.certificateAuthorities.flatMap((authority) =>
      (authority.certChain?.certificates ?? []).map(({ rawBytes }) => new X509Certificate(rawBytes)),
    );
    verifier = new Verifier(toTrustMaterial(root), {
      tlogThreshold: root.tlogs.length > 0 ? 1 : 0,
      ctlogThreshold: root.ctlogs.length > 0 ? 1 : 0,
      timestampThreshold: 1,
    });
  } catch (error) {
    throw new ArcError('InvalidTrustedRoot', `${where} is no trusted root of Sigstore: ${messageOf(error)}`, {
      hint: 'Carry trusted_root.json from the TUF repository of your Sigstore instance, or make one with `cosign trusted-root create`.',
      cause: error,
    });
  }
  const entityOf = (bundle: Bundle, content: SignedContent): SignedEntity =>
    toSignedEntity(bundle, content.form === 'statement' ? undefined : content.payload);
  return {
    verifyLogged: (content, key) => {
      if (content.bundle === undefined) throw new EvidenceError('it came with no entry of a log');
      const material = toTrustMaterial(root, () => ({ publicKey: key, validFor: () => true }));
      try {
        const entity = entityOf(bundleFromJSON(content.bundle), content);
        const logged = new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 });
        logged.verify({ ...entity, key: { $case: 'public-key', hint: '' }, timestamps: [] });
      } catch (error) {
        throw new EvidenceError(messageOf(error), { cause: error });
      }
    },
    verify: (content) => {
      if (content.bundle === undefined) throw new EvidenceError('it came with no certificate');
      try {
        const bundle = bundleFromJSON(content.bundle);
        requireCodeSigning(certificateOf(bundle), authorities);
        const entity = entityOf(bundle, content);
        const signer = verifier.verify({
          ...entity,
          tlogEntries: root.tlogs.length > 0 ? entity.tlogEntries : [],
          timestamps: entity.timestamps.filter((timestamp) => isSigned(timestamp, root)),
        });
        return identityOf(signer.identity);
      } catch (error) {
        throw error instanceof EvidenceError ? error : new EvidenceError(messageOf(error), { cause: error });
      }
    },
  };
}

/** Whether somebody whom the root lists may have signed a time; of an entry it is signed only in its inclusion promise, not in a proof. */
function isSigned(timestamp: SignedEntity['timestamps'][number], root: TrustedRoot): boolean {
  return timestamp.$case === 'transparency-log'
    ? root.tlogs.length > 0 && timestamp.tlogEntry.inclusionPromise !== undefined
    : root.timestampAuthorities.length > 0;
}

/** Key usage of certificates that sign code (RFC 5280). */
const codeSigning = '1.3.6.1.5.5.7.3.3';

function certificateOf(bundle: Bundle): Buffer {
  const { content } = bundle.verificationMaterial;
  switch (content.$case) {
    case 'certificate':
      return content.certificate.rawBytes;
    case 'x509CertificateChain':
      return content.x509CertificateChain.certificates[0]?.rawBytes ?? Buffer.alloc(0);
    case 'publicKey':
      throw new EvidenceError('it was made with a key, and has no certificate');
  }
}

/**
 * What the library does not look at: that the bytes are DER of one certificate and nothing else, signed by an authority as they are
 * written, for signing code, and not those of an authority.
 */
function requireCodeSigning(bytes: Buffer, authorities: readonly X509Certificate[]): void {
  const certificate = new X509Certificate(bytes);
  if (!certificate.raw.equals(bytes)) throw new EvidenceError('its certificate is not in DER');
  if (certificate.ca || certificate.keyUsage?.includes(codeSigning) !== true)
    throw new EvidenceError('its certificate is not for signing code');
  if (!authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey)))
    throw new EvidenceError('its certificate is of none of the trusted authorities');
}

function identityOf(identity: { subjectAlternativeName?: string; extensions?: { issuer?: string } } | undefined): CertificateIdentity {
  const subject = identity?.subjectAlternativeName;
  const issuer = identity?.extensions?.issuer;
  if (subject === undefined || subject === '' || issuer === undefined || issuer === '')
    throw new EvidenceError('its certificate does not say who signed, or who vouched for it');
  return { subject, issuer };
}
