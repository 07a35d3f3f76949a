import {
  attribute,
  type CopyOrigin,
  type Descriptor,
  type Digest,
  isTransferError,
  type Manifest,
  type ReadableRepository,
} from '@arc/transfer';
import { cosignLayerTypes, readEnvelopeLayer, readSimpleSigningLayer } from '../cosign/read-layer.ts';
import { bundleType, readBundle } from '../sigstore/read-bundle.ts';
import type { Evidence, SignedContent } from './evidence.ts';
import { EvidenceError, readObject } from './untrusted.ts';
import { shown } from '../check.ts';

/** What evidence is read from. */
export type EvidenceSource = Pick<ReadableRepository, 'name' | 'fetchManifest' | 'fetchBlob' | 'listReferrers'>;

export interface CollectOptions {
  /** Which side `repository` is, for errors. */
  readonly origin: CopyOrigin;
  readonly signal?: AbortSignal | undefined;
}

export interface Collected {
  readonly evidence: readonly Evidence[];
  /** Places that could not be looked into, because the registry refuses it. */
  readonly refused: readonly string[];
}

/** Largest envelope, bundle or payload that is read, bytes: attestations with SBOMs inside reach a few MiB. */
const contentLimit = 16 * 1024 * 1024;

/** Most referrers that are read for one manifest, and layers of each. */
const countLimit = 100;

/** Most pieces of evidence that are kept for one manifest: each may cost a verification for everybody who may sign. */
const evidenceLimit = 200;

/**
 * Reads everything that was signed about a manifest: referrers (Sigstore bundles, envelopes, cosign's experimental ones),
 * and cosign's tags `.sig` and `.att`. What cannot be used is returned with its problem.
 *
 * @throws CopyError when the registry cannot be asked; the reason of the signal
 */
export async function collectEvidence(repository: EvidenceSource, subject: Manifest, options: CollectOptions): Promise<Collected> {
  const refused: string[] = [];
  const look = async <T>(what: string, read: () => Promise<T>, none: T): Promise<T> => {
    try {
      return await attribute(options.origin, 'look for', `${what} of ${repository.name}`, options.signal, read);
    } catch (error) {
      // Some registries refuse what is not there.
      const cause = error instanceof Error ? error.cause : undefined;
      if (!isTransferError(cause, 'Unauthorized', 'Forbidden')) throw error;
      refused.push(what);
      return none;
    }
  };
  const { digest } = subject.descriptor;
  const referrers = await look(`referrers of ${digest}`, () => repository.listReferrers(subject.descriptor, options), []);
  const evidence: Evidence[] = [];
  const seen = new Set<Digest>();
  for (const listed of referrers.slice(0, countLimit)) {
    if (seen.has(listed.digest) || evidence.length >= evidenceLimit) continue;
    seen.add(listed.digest);
    const where = `referrer ${listed.digest}`;
    const manifest = await look(where, () => repository.fetchManifest(listed.digest, options), undefined);
    if (manifest !== undefined) evidence.push(...(await readReferrer(repository, subject, manifest, where, options)));
  }
  if (referrers.length > countLimit)
    evidence.push(unusable(`referrers of ${digest}`, digest, '', `only ${countLimit} of ${referrers.length} were read`));
  for (const suffix of ['sig', 'att', 'sbom']) {
    const tag = `${digest.replace(':', '-')}.${suffix}`;
    const manifest = await look(`tag ${tag}`, () => repository.fetchManifest(tag, options), undefined);
    if (manifest !== undefined) evidence.push(...(await readLayers(repository, subject, manifest, `tag ${tag}`, options)));
  }
  return { evidence: evidence.slice(0, evidenceLimit), refused };
}

async function readReferrer(
  repository: EvidenceSource,
  subject: Manifest,
  manifest: Manifest,
  where: string,
  options: CollectOptions,
): Promise<readonly Evidence[]> {
  const { digest } = subject.descriptor;
  // A list of referrers is only a claim of the registry.
  if (manifest.subject?.digest !== digest) return [unusable(where, digest, manifest.artifactType ?? '', 'it refers to something else')];
  return readLayers(repository, subject, manifest, where, options);
}

async function readLayers(
  repository: EvidenceSource,
  subject: Manifest,
  manifest: Manifest,
  where: string,
  options: CollectOptions,
): Promise<readonly Evidence[]> {
  const { digest } = subject.descriptor;
  const layers = manifest.blobs.slice(1);
  const found: Evidence[] = [];
  const artifactType = manifest.artifactType ?? '';
  for (const [index, layer] of layers.slice(0, countLimit).entries()) {
    const place = layers.length === 1 ? where : `${where}, layer ${index + 1}`;
    const read = readerOf(layer, artifactType, subject);
    if (read === undefined) {
      found.push({ where: place, subject: digest, type: shown(layer.mediaType), content: undefined, problem: undefined });
      continue;
    }
    found.push(await readOne(repository, layer, digest, place, read, options));
  }
  return found;
}

type Read = (bytes: Buffer, layer: Descriptor) => SignedContent;

function readerOf(layer: Descriptor, artifactType: string, subject: Manifest): Read | undefined {
  const { mediaType } = layer;
  // Some writers leave the artifact type empty, and some the type of the layer.
  if (bundleType.test(mediaType) || (bundleType.test(artifactType) && mediaType === 'application/json'))
    return (bytes) => readBundle(readObject(bytes, 'the bundle'), subject.bytes);
  if (mediaType === cosignLayerTypes.simpleSigning) return (bytes, { annotations = {} }) => readSimpleSigningLayer(bytes, annotations);
  if (mediaType === cosignLayerTypes.envelope) return (bytes, { annotations = {} }) => readEnvelopeLayer(bytes, annotations);
  return undefined;
}

async function readOne(
  repository: EvidenceSource,
  layer: Descriptor,
  subject: Digest,
  where: string,
  read: Read,
  options: CollectOptions,
): Promise<Evidence> {
  const { mediaType: type, size, digest } = layer;
  if (size > contentLimit) return unusable(where, subject, type, `it is larger than ${contentLimit} bytes`);
  const bytes = await attribute(options.origin, 'read', `blob ${digest} of ${repository.name}`, options.signal, async () => {
    const pieces: Buffer[] = [];
    for await (const piece of repository.fetchBlob(layer, options)) pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces);
  });
  try {
    return { where, subject, type, content: read(bytes, layer), problem: undefined };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return unusable(where, subject, type, shown(error.message));
  }
}

function unusable(where: string, subject: Digest, type: string, problem: string): Evidence {
  return { where, subject, type: shown(type), content: undefined, problem };
}
