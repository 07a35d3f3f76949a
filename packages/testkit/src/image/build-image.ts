import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../registry/content.ts';
import { type Files, tar } from './tar.ts';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

export interface ImageOptions {
  /** `os/architecture[/variant]`; linux/amd64 and linux/arm64 unless told. */
  readonly platforms?: readonly string[];
  /** One manifest (of the first platform) instead of an index. */
  readonly single?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Incompressible layers of `bytes` each, added to every platform's own layers; the same for every platform. */
  readonly random?: { readonly layers: number; readonly bytes: number; readonly seed?: string };
}

export interface BuiltManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface BuiltImage extends BuiltManifest {
  /** The manifest of each platform; for a single image, itself. */
  readonly platforms: ReadonlyMap<string, BuiltManifest>;
  /** Every manifest, children before parents, the root last. */
  readonly manifests: readonly BuiltManifest[];
  /** Configs and layers by digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

/**
 * Builds a real OCI image (tar layers, gzip, config with diff_ids) from files, one layer per element of `layers`, for
 * several platforms. The same input gives the same bytes.
 */
export function buildImage(layers: readonly Files[] | ((platform: string) => readonly Files[]), options: ImageOptions = {}): BuiltImage {
  const platforms = options.platforms ?? ['linux/amd64', 'linux/arm64'];
  const blobs = new Map<string, Buffer>();
  const random = randomLayers(options.random);
  const built = new Map(
    (options.single === true ? platforms.slice(0, 1) : platforms).map((platform) => {
      const files = typeof layers === 'function' ? layers(platform) : layers;
      const own = [...files.map((layer) => gzipLayer(tar(layer))), ...random];
      return [platform, buildPlatform(platform, own, blobs, options.single === true ? options.annotations : undefined)] as const;
    }),
  );
  const manifests = [...built.values()];
  if (options.single === true) {
    const [only] = manifests;
    if (only === undefined) throw new Error('an image needs at least one platform');
    return { ...only, platforms: built, manifests, blobs };
  }
  const index = manifestOf(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [...built].map(([platform, manifest]) => ({ ...descriptor(manifest), platform: platformOf(platform) })),
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  });
  return { ...index, platforms: built, manifests: [...manifests, index], blobs };
}

/** Builds a manifest that refers to `subject`, as signatures, attestations and SBOMs do; `payload` is its one layer. */
export function buildReferrer(
  subject: BuiltManifest,
  artifactType: string,
  payload: string | Buffer,
  options: { readonly annotations?: Readonly<Record<string, string>>; readonly layerMediaType?: string } = {},
): BuiltImage {
  const empty = Buffer.from('{}');
  const layer = Buffer.from(payload);
  const manifest = manifestOf(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: { mediaType: mediaTypes.empty, digest: digestOf(empty), size: empty.length },
    layers: [{ mediaType: options.layerMediaType ?? 'application/octet-stream', digest: digestOf(layer), size: layer.length }],
    subject: descriptor(subject),
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  });
  const blobs = new Map([
    [digestOf(empty), empty],
    [digestOf(layer), layer],
  ]);
  return { ...manifest, platforms: new Map(), manifests: [manifest], blobs };
}

interface Layer {
  readonly compressed: Buffer;
  readonly diffId: string;
}

function gzipLayer(archive: Buffer, level = 6): Layer {
  const compressed = gzipSync(archive, { level });
  // The tenth byte names the operating system of the compressor.
  compressed[9] = 255;
  return { compressed, diffId: digestOf(archive) };
}

function randomLayers(wanted: ImageOptions['random']): Layer[] {
  if (wanted === undefined) return [];
  return Array.from({ length: wanted.layers }, (_, index) =>
    gzipLayer(tar({ [`data/random-${index}.bin`]: pseudoRandom(`${wanted.seed ?? 'arc'}/${index}`, wanted.bytes) }), 0),
  );
}

/** Incompressible bytes that depend on nothing but `seed`: the AES-CTR key stream under its hash. */
function pseudoRandom(seed: string, size: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(size));
}

function buildPlatform(
  platform: string,
  layers: readonly Layer[],
  blobs: Map<string, Buffer>,
  annotations: Readonly<Record<string, string>> | undefined,
): BuiltManifest {
  const config = Buffer.from(
    JSON.stringify({
      created: '1970-01-01T00:00:00Z',
      ...platformOf(platform),
      config: { Cmd: ['/bin/true'] },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'arc testkit' })),
    }),
  );
  const add = (bytes: Buffer): { digest: string; size: number } => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  };
  return manifestOf(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...add(config) },
    layers: layers.map((layer) => ({ mediaType: mediaTypes.layer, ...add(layer.compressed) })),
    ...(annotations === undefined ? {} : { annotations }),
  });
}

function platformOf(platform: string): { architecture: string; os: string; variant?: string } {
  const [os = 'linux', architecture = 'amd64', variant] = platform.split('/');
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

function manifestOf(mediaType: string, document: unknown): BuiltManifest {
  const bytes = Buffer.from(JSON.stringify(document));
  return { digest: digestOf(bytes), mediaType, bytes };
}

function descriptor(manifest: BuiltManifest): { mediaType: string; digest: string; size: number } {
  return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
}
