import type { Descriptor } from '../descriptor/descriptor.ts';
import { isForeignLayerType, isManifestType } from '../descriptor/media-types.ts';
import type { Manifest } from '../descriptor/manifest.ts';
import type { Digest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';

export interface ManifestNode {
  readonly manifest: Manifest;
  /** True when the destination holds this manifest already, and therefore all below it. */
  readonly present: boolean;
}

/** A manifest with everything below it. */
export interface Graph {
  readonly root: Manifest;
  /** Each manifest once, children before parents, the root last. */
  readonly nodes: readonly ManifestNode[];
  /** Each blob of the manifests that are not present, once; the largest first. */
  readonly missing: readonly Descriptor[];
  /** Blobs of all manifests: how many, and their bytes. */
  readonly blobCount: number;
  readonly totalBytes: number;
  /** Layers that no registry holds (image-spec "Non-Distributable Layers"); they are left where they are. */
  readonly foreign: readonly Descriptor[];
}

/** Reads a manifest and tells whether the destination has it. */
export type ReadNode = (descriptor: Descriptor) => Promise<ManifestNode>;

const maxDepth = 4;
const maxDescriptors = 10_000;

/**
 * Reads everything below `root`.
 *
 * @throws TransferError `InvalidManifest` when it is nested deeper than 4 or names more than 10,000 things
 */
export async function readGraph(root: ManifestNode, read: ReadNode): Promise<Graph> {
  const nodes = new Map<Digest, ManifestNode>();
  const all = new Map<Digest, Descriptor>();
  const missing = new Map<Digest, Descriptor>();
  const foreign = new Map<Digest, Descriptor>();
  const visited = new Set<Digest>();

  const visit = async (node: ManifestNode, depth: number): Promise<void> => {
    const { digest } = node.manifest.descriptor;
    visited.add(digest);
    if (depth > maxDepth) throw new TransferError('InvalidManifest', `indexes are nested more than ${maxDepth} deep`);
    const children = node.manifest.children.filter((child) => !visited.has(child.digest));
    const manifests = children.filter((child) => isManifestType(child.mediaType));
    for (const child of manifests) visited.add(child.digest);
    const read_ = await Promise.all(manifests.map(read));
    for (const child of read_) await visit(child, depth + 1);
    for (const blob of [...node.manifest.blobs, ...children.filter((child) => !isManifestType(child.mediaType))]) {
      if (isForeignLayerType(blob.mediaType)) {
        foreign.set(blob.digest, blob);
        continue;
      }
      requireOneSize(all.get(blob.digest), blob);
      all.set(blob.digest, blob);
      if (!node.present) missing.set(blob.digest, blob);
    }
    if (all.size + visited.size > maxDescriptors)
      throw new TransferError('InvalidManifest', `the artifact names more than ${maxDescriptors} things`);
    nodes.set(digest, node);
  };

  await visit(root, 0);
  return {
    root: root.manifest,
    nodes: [...nodes.values()],
    missing: [...missing.values()].sort((a, b) => b.size - a.size),
    blobCount: all.size,
    totalBytes: [...all.values()].reduce((sum, { size }) => sum + size, 0),
    foreign: [...foreign.values()],
  };
}

function requireOneSize(known: Descriptor | undefined, blob: Descriptor): void {
  if (known === undefined || known.size === blob.size) return;
  throw new TransferError('InvalidManifest', `blob ${blob.digest} is said to have ${known.size} and ${blob.size} bytes`);
}
