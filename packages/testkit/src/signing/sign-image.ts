import { createHash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { type BuiltImage, type BuiltManifest, buildReferrer, mediaTypes } from '../image/build-image.ts';
import { digestOf } from '../registry/content.ts';

/** What a statement says, and about what. */
export interface StatementParts {
  readonly predicateType: string;
  readonly predicate?: unknown;
  /** Unless told, the digest of the manifest it is attached to. */
  readonly subjectDigest?: string;
}

const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** The payload of cosign's older signatures. */
export function simpleSigningPayload(digest: string, reference = 'registry.example.org/team/app'): Buffer {
  const critical = {
    identity: { 'docker-reference': reference },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

/** A signature over bytes with the digest that goes with the key. */
export function signBytes(data: Buffer, key: KeyObject): Buffer {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', data, key);
}

/** What cosign stored under `legacyTag(digest, 'sig')` before version 3. */
export function buildLegacySignature(
  signatures: readonly { readonly payload: Buffer; readonly annotations: Readonly<Record<string, string>> }[],
): BuiltImage {
  return buildLayers(
    signatures.map(({ payload, annotations }) => ({
      bytes: payload,
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      annotations,
    })),
  );
}

/** One signature of cosign's older kind, by a key. */
export function legacySignature(payload: Buffer, key: KeyObject): { payload: Buffer; annotations: Record<string, string> } {
  return { payload, annotations: { 'dev.cosignproject.cosign/signature': signBytes(payload, key).toString('base64') } };
}

/** What cosign stored under `legacyTag(digest, 'att')`. */
export function buildLegacyAttestation(envelopes: readonly object[]): BuiltImage {
  return buildLayers(
    envelopes.map((envelope) => ({
      bytes: Buffer.from(JSON.stringify(envelope)),
      mediaType: 'application/vnd.dsse.envelope.v1+json',
      annotations: { 'dev.cosignproject.cosign/signature': '' },
    })),
  );
}

/** `sha256-<hex>.sig` */
export function legacyTag(digest: string, suffix: 'sig' | 'att' | 'sbom'): string {
  return `${digest.replace(':', '-')}.${suffix}`;
}

/** An in-toto statement about `digest` in a signed DSSE envelope. */
export function signedStatement(
  digest: string,
  parts: StatementParts,
  key: KeyObject,
  payloadType = 'application/vnd.in-toto+json',
): object {
  const [algorithm = '', encoded = ''] = (parts.subjectDigest ?? digest).split(':');
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'app', digest: { [algorithm]: encoded } }],
    predicateType: parts.predicateType,
    predicate: parts.predicate ?? {},
  };
  return signedEnvelope(Buffer.from(JSON.stringify(statement)), key, payloadType);
}

/** A DSSE envelope around any payload. */
export function signedEnvelope(payload: Buffer, key: KeyObject, payloadType = 'application/vnd.in-toto+json'): object {
  const encoded = Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload]);
  return { payload: payload.toString('base64'), payloadType, signatures: [{ sig: signBytes(encoded, key).toString('base64') }] };
}

/** A Sigstore bundle of version 0.3 made with a key, as cosign 3 writes it without a log. */
export function keyBundle(content: { readonly dsseEnvelope: object } | { readonly messageSignature: object }): object {
  return { mediaType: bundleType, verificationMaterial: { publicKey: { hint: 'arc-testkit' }, tlogEntries: [] }, ...content };
}

/** A message signature over `bytes`, for a bundle. */
export function messageSignature(bytes: Buffer, key: KeyObject): object {
  const digest = createHash('sha256').update(bytes).digest('base64');
  return { messageDigest: { algorithm: 'SHA2_256', digest }, signature: signBytes(bytes, key).toString('base64') };
}

/** The referrer in which cosign 3 keeps a bundle. */
export function buildBundleReferrer(subject: BuiltManifest, bundle: object): BuiltImage {
  return buildReferrer(subject, bundleType, JSON.stringify(bundle), { layerMediaType: bundleType });
}

function buildLayers(
  layers: readonly { readonly bytes: Buffer; readonly mediaType: string; readonly annotations: Readonly<Record<string, string>> }[],
): BuiltImage {
  const config = Buffer.from('{}');
  const blobs = new Map([config, ...layers.map(({ bytes }) => bytes)].map((bytes) => [digestOf(bytes), bytes]));
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: layers.map(({ bytes, mediaType, annotations }) => ({ mediaType, digest: digestOf(bytes), size: bytes.length, annotations })),
  };
  const bytes = Buffer.from(JSON.stringify(document));
  const manifest = { digest: digestOf(bytes), mediaType: mediaTypes.manifest, bytes };
  return { ...manifest, platforms: new Map(), manifests: [manifest], blobs };
}
