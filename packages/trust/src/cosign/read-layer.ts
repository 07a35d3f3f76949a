import { createHash } from 'node:crypto';
import { preAuthenticationEncoding, readEnvelope } from '../dsse/envelope.ts';
import type { SignedContent } from '../evidence/evidence.ts';
import { asBase64, asObject, asText, EvidenceError, type JsonObject, readObject } from '../evidence/untrusted.ts';

/** Types of the layers in which cosign keeps signatures and attestations of its older format (SIGNATURE_SPEC). */
export const cosignLayerTypes = {
  simpleSigning: 'application/vnd.dev.cosign.simplesigning.v1+json',
  envelope: 'application/vnd.dsse.envelope.v1+json',
} as const;

type Annotations = Readonly<Record<string, unknown>>;

/** Longest annotation that is read, characters: certificates and log entries are a few thousand. */
const annotationLimit = 64 * 1024;

/** A layer whose annotations carry the signature over its bytes. @throws EvidenceError */
export function readSimpleSigningLayer(payload: Buffer, annotations: Annotations): SignedContent {
  const signature = asBase64(
    annotation(annotations, 'dev.cosignproject.cosign/signature'),
    'the annotation dev.cosignproject.cosign/signature',
  );
  const messageDigest = { algorithm: 'SHA2_256', digest: createHash('sha256').update(payload).digest('base64') };
  return {
    form: 'simple-signing',
    payload,
    signedBytes: payload,
    signatures: [signature],
    envelope: undefined,
    bundle: asBundle(annotations, { messageSignature: { messageDigest, signature: signature.toString('base64') } }),
  };
}

/** A layer that is an envelope; its annotations may carry certificate and log entry. @throws EvidenceError */
export function readEnvelopeLayer(bytes: Buffer, annotations: Annotations): SignedContent {
  const document = readObject(bytes, 'the envelope');
  const envelope = readEnvelope(document);
  return {
    form: 'statement',
    payload: envelope.payload,
    signedBytes: preAuthenticationEncoding(envelope.payloadType, envelope.payload),
    signatures: envelope.signatures,
    envelope,
    bundle: envelope.signatures.length === 1 ? asBundle(annotations, { dsseEnvelope: document }) : undefined,
  };
}

/** What the annotations say about certificate, log and time, in the form of a bundle; undefined when they say nothing. */
function asBundle(annotations: Annotations, content: JsonObject): JsonObject | undefined {
  const certificate = annotation(annotations, 'dev.sigstore.cosign/certificate');
  const chain = annotation(annotations, 'dev.sigstore.cosign/chain') ?? '';
  const entry = annotation(annotations, 'dev.sigstore.cosign/bundle');
  const timestamp = annotation(annotations, 'dev.sigstore.cosign/rfc3161timestamp');
  if (certificate === undefined && entry === undefined && timestamp === undefined) return undefined;
  const certificates = [...pemBodies(certificate ?? ''), ...pemBodies(chain)].map((rawBytes) => ({ rawBytes }));
  if (certificate !== undefined && certificates.length === 0)
    throw new EvidenceError('the annotation dev.sigstore.cosign/certificate is no certificate');
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      ...(certificate === undefined ? { publicKey: { hint: '' } } : { x509CertificateChain: { certificates } }),
      tlogEntries: entry === undefined ? [] : [asLogEntry(readObject(Buffer.from(entry), 'the annotation dev.sigstore.cosign/bundle'))],
      ...(timestamp === undefined
        ? {}
        : {
            timestampVerificationData: {
              rfc3161Timestamps: [
                {
                  signedTimestamp: readObject(Buffer.from(timestamp), 'the annotation dev.sigstore.cosign/rfc3161timestamp')[
                    'SignedRFC3161Timestamp'
                  ],
                },
              ],
            },
          }),
    },
    ...content,
  };
}

/** Rekor's answer as cosign keeps it, as an entry of a bundle. */
function asLogEntry(entry: JsonObject): JsonObject {
  const payload = asObject(entry['Payload'], 'the Payload of the log entry');
  const canonicalizedBody = asText(payload['body'], 'the body of the log entry');
  const body = readObject(Buffer.from(canonicalizedBody, 'base64'), 'the body of the log entry');
  const logId = asText(payload['logID'], 'the logID of the log entry');
  if (!/^[0-9a-f]{64}$/.test(logId)) throw new EvidenceError('the logID of the log entry is no SHA-256');
  return {
    logIndex: String(payload['logIndex']),
    logId: { keyId: Buffer.from(logId, 'hex').toString('base64') },
    kindVersion: { kind: body['kind'], version: body['apiVersion'] },
    integratedTime: String(payload['integratedTime']),
    inclusionPromise: { signedEntryTimestamp: entry['SignedEntryTimestamp'] },
    canonicalizedBody,
  };
}

function annotation(annotations: Annotations, name: string): string | undefined {
  const value = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && value.length <= annotationLimit) return value;
  throw new EvidenceError(`the annotation ${name} is longer than ${annotationLimit} characters`);
}

function pemBodies(text: string): string[] {
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g)].map(([, body = '']) =>
    body.replaceAll(/\s/g, ''),
  );
}
