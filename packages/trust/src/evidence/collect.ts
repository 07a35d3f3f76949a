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
import { readBlob } from './read-blob.ts';
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
const contentLimit = 8 * 1024 * 1024;

/** Most bytes that are read for one manifest: they are kept until all of them are judged. */
const totalLimit = 32 * 1024 * 1024;

/** Most referrers that are read for one manifest, and layers of each. */
const countLimit = 100;

/** Referrers that are read at a time. */
const referrersAtOnce = 8;

/** What a registry serves, and is no evidence: it may be damaged, or put there so that everything else is not looked at. */
const unusableCodes = ['InvalidManifest', 'UnsupportedMediaType', 'NotFound', 'DigestMismatch', 'SizeMismatch', 'TooLarge'] as const;

/** Most pieces of evidence that are kept for one manifest: each may cost a verification for everybody who may sign. */
const evidenceLimit = 200;

/**
 * Reads everything that was signed about a manifest: referrers (Sigstore bundles, envelopes, cosign's experimental ones),
 * and cosign's tags `.sig` and `.att`. What cannot be used is returned with its problem.
 *
 * @throws CopyError when the registry cannot be asked; the reason of the signal
 */
export async function collectEvidence(repository: EvidenceSource, subject: Manifest, options: CollectOptions): Promise<Collected> {
  const { digest } = subject.descriptor;
  const refused: string[] = [];
  const budget = { bytes: totalLimit };
  /** Manifests that may be there; one that is no manifest is evidence that cannot be used, and no reason to look no further. */
  const fetch = async (reference: string, where: string): Promise<readonly Evidence[]> => {
    const { value, problem } = await look(where, () => repository.fetchManifest(reference, options));
    if (problem !== undefined) return [unusable(where, digest, '', problem)];
    if (value === undefined) return [];
    // A list of referrers is only a claim of the registry.
    if (where.startsWith('referrer ') && value.subject?.digest !== digest)
      return [unusable(where, digest, value.artifactType ?? '', 'it refers to something else')];
    return readLayers(repository, subject, value, where, { ...options, budget });
  };
  const look = async <T>(what: string, read: () => Promise<T>): Promise<{ readonly value?: T; readonly problem?: string }> => {
    try {
      return { value: await attribute(options.origin, 'look for', `${what} of ${repository.name}`, options.signal, read) };
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (isTransferError(cause, ...unusableCodes)) return { problem: shown(cause.message) };
      // Some registries refuse what is not there.
      if (!isTransferError(cause, 'Unauthorized', 'Forbidden')) throw error;
      refused.push(what);
      return {};
    }
  };
  const listing = look(`referrers of ${digest}`, () => repository.listReferrers(subject.descriptor, options));
  const ofTags = Promise.all(
    ['sig', 'att', 'sbom'].map((suffix) => `${digest.replace(':', '-')}.${suffix}`).map((tag) => fetch(tag, `tag ${tag}`)),
  );
  const [{ value: referrers = [], problem }, tagged] = await Promise.all([listing, ofTags]);
  const evidence: Evidence[] = problem === undefined ? [] : [unusable(`referrers of ${digest}`, digest, '', problem)];
  const digests = [...new Set(referrers.map((referrer) => referrer.digest))];
  for (let at = 0; at < Math.min(digests.length, countLimit) && evidence.length < evidenceLimit; at += referrersAtOnce) {
    const some = digests.slice(at, at + referrersAtOnce);
    evidence.push(...(await Promise.all(some.map((referrer) => fetch(referrer, `referrer ${referrer}`)))).flat());
  }
  if (digests.length > countLimit)
    evidence.push(unusable(`referrers of ${digest}`, digest, '', `only ${countLimit} of ${digests.length} were read`));
  return { evidence: [...evidence.slice(0, evidenceLimit), ...tagged.flat().slice(0, evidenceLimit)], refused };
}

interface ReadOptions extends CollectOptions {
  /** What may still be read. */
  readonly budget: { bytes: number };
}

async function readLayers(
  repository: EvidenceSource,
  subject: Manifest,
  manifest: Manifest,
  where: string,
  options: ReadOptions,
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
  options: ReadOptions,
): Promise<Evidence> {
  const { mediaType: type, size } = layer;
  if (size > contentLimit) return unusable(where, subject, type, `it is larger than ${contentLimit} bytes`);
  if (size > options.budget.bytes) return unusable(where, subject, type, `there are more than ${totalLimit} bytes of evidence`);
  options.budget.bytes -= size;
  try {
    const bytes = await readBlob(repository, layer, options);
    return { where, subject, type, content: read(bytes, layer), problem: undefined };
  } catch (error) {
    const reason = error instanceof Error && isTransferError(error.cause, ...unusableCodes) ? error.cause : error;
    if (!(reason instanceof EvidenceError || isTransferError(reason))) throw error;
    return unusable(where, subject, type, shown(reason.message));
  }
}

function unusable(where: string, subject: Digest, type: string, problem: string): Evidence {
  return { where, subject, type: shown(type), content: undefined, problem };
}
