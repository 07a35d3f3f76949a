import { type Digest, digestOf } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';
import { type Descriptor, readDescriptor } from './descriptor.ts';
import { isIndexType, isManifestType, mediaTypes } from './media-types.ts';
import { parseStrictJson } from './strict-json.ts';

/** Largest manifest that is read, bytes; the specification asks registries for 4 MiB. */
export const manifestLimit = 8 * 1024 * 1024;

/** A manifest or index with its exact bytes; its descriptor is computed from them, never believed. */
export interface Manifest {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  /** Manifests an index lists; empty for an image manifest. */
  readonly children: readonly Descriptor[];
  /** Config and layers of an image manifest, duplicates kept. */
  readonly blobs: readonly Descriptor[];
  /** The config among `blobs`. */
  readonly config: Descriptor | undefined;
  readonly subject: Descriptor | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads a manifest from its bytes and the type it was served as.
 *
 * @throws TransferError `UnsupportedMediaType` for what cannot be copied (Docker schema 1), `InvalidManifest` when the
 * document is malformed or claims another type than it was served as
 */
export function parseManifest(bytes: Buffer, servedAs: string, algorithm: 'sha256' | 'sha512' = 'sha256'): Manifest {
  const digest: Digest = digestOf(bytes, algorithm);
  const what = `manifest ${digest}`;
  const document = parseStrictJson(bytes, what);
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new TransferError('InvalidManifest', `${what} is not an object`);
  const {
    mediaType: claimed,
    schemaVersion,
    manifests,
    config,
    layers,
    subject,
    artifactType,
    annotations,
  } = document as Readonly<Record<string, unknown>>;
  if (schemaVersion === 1 || /docker\.distribution\.manifest\.v1/.test(servedAs)) {
    throw new TransferError('UnsupportedMediaType', `${what} is in Docker's schema 1 format, which cannot be verified by digest`, {
      hint: 'Push the image again with a current tool; every registry stores it in schema 2 or OCI format then.',
    });
  }
  const mediaType = servedType(servedAs, claimed, manifests !== undefined, what);
  const list = (value: unknown, name: string): Descriptor[] => {
    if (!Array.isArray(value)) throw new TransferError('InvalidManifest', `${what} has no ${name}`);
    return value.map((entry, index) => readDescriptor(entry, `${what}, ${name}[${index}]`));
  };
  const isIndex = isIndexType(mediaType);
  if (isIndex && (config !== undefined || layers !== undefined)) throw confused(what);
  if (!isIndex && manifests !== undefined) throw confused(what);
  const configDescriptor = isIndex ? undefined : readDescriptor(config, `${what}, config`);
  return {
    descriptor: { mediaType, digest, size: bytes.length },
    bytes,
    children: isIndex ? list(manifests, 'manifests') : [],
    blobs: configDescriptor === undefined ? [] : [configDescriptor, ...list(layers, 'layers')],
    config: configDescriptor,
    subject: subject === undefined || subject === null ? undefined : readDescriptor(subject, `${what}, subject`),
    artifactType: typeof artifactType === 'string' && artifactType !== '' ? artifactType : configDescriptor?.mediaType,
    annotations: typeof annotations === 'object' && annotations !== null ? (annotations as Readonly<Record<string, string>>) : undefined,
  };
}

function servedType(servedAs: string, claimed: unknown, hasManifests: boolean, what: string): string {
  const served = (servedAs.split(';')[0] ?? '').trim().toLowerCase();
  if (typeof claimed === 'string' && claimed !== '') {
    if (!isGeneric(served) && served !== claimed) {
      throw new TransferError('InvalidManifest', `${what} was served as ${served} but says it is ${claimed}`);
    }
    if (isManifestType(claimed)) return claimed;
    throw new TransferError('UnsupportedMediaType', `${what} is of the unknown type ${claimed}`);
  }
  if (isManifestType(served)) return served;
  // A layout, and some registries, name no useful type: the shape decides.
  if (isGeneric(served)) {
    return hasManifests ? mediaTypes.ociIndex : mediaTypes.ociManifest;
  }
  throw new TransferError('UnsupportedMediaType', `${what} was served as ${served}, which is not a manifest`, {
    hint: 'Check that the address is that of a registry, and not of a web page in front of it.',
  });
}

/** Types that say nothing: those of layouts (none at all), of web servers, and of some registries. */
function isGeneric(served: string): boolean {
  return ['', 'application/json', 'application/octet-stream', 'text/plain'].includes(served);
}

function confused(what: string): TransferError {
  return new TransferError('InvalidManifest', `${what} is an index and an image at the same time`);
}
