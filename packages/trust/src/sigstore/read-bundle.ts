import { preAuthenticationEncoding, readEnvelope } from '../dsse/envelope.ts';
import type { SignedContent } from '../evidence/evidence.ts';
import { asBase64, asObject, asText, EvidenceError, type JsonObject } from '../evidence/untrusted.ts';

/** Media types of Sigstore bundles, in both spellings. */
export const bundleType = /^application\/vnd\.dev\.sigstore\.bundle(?:\+json;version=0\.[1-3]|\.v0\.[1-9]+\+json)$/;

/**
 * Reads a Sigstore bundle. `manifest` is what a message signature without further content is about.
 *
 * @throws EvidenceError
 */
export function readBundle(document: JsonObject, manifest: Buffer): SignedContent {
  const type = asText(document['mediaType'], 'the mediaType of the bundle');
  if (!bundleType.test(type)) throw new EvidenceError('it is a Sigstore bundle of an unknown version');
  asObject(document['verificationMaterial'], 'the verificationMaterial of the bundle');
  const { dsseEnvelope, messageSignature } = document;
  if ((dsseEnvelope === undefined) === (messageSignature === undefined))
    throw new EvidenceError('the bundle does not hold exactly one signed content');
  if (dsseEnvelope !== undefined) {
    const envelope = readEnvelope(asObject(dsseEnvelope, 'the dsseEnvelope of the bundle'));
    if (envelope.signatures.length !== 1) throw new EvidenceError('the envelope of a bundle has one signature, this one has more');
    return {
      form: 'statement',
      payload: envelope.payload,
      signedBytes: preAuthenticationEncoding(envelope.payloadType, envelope.payload),
      signatures: envelope.signatures,
      envelope,
      bundle: document,
    };
  }
  const signature = asBase64(asObject(messageSignature, 'the messageSignature of the bundle')['signature'], 'the signature of the bundle');
  return { form: 'manifest', payload: manifest, signedBytes: manifest, signatures: [signature], envelope: undefined, bundle: document };
}
