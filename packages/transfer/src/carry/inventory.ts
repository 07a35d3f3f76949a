import { parseStrictJson } from '../descriptor/strict-json.ts';
import { type Descriptor } from '../descriptor/descriptor.ts';
import { isForeignLayerType, isManifestType } from '../descriptor/media-types.ts';
import { type Digest, parseDigest } from '../digest/digest.ts';
import type { ReadableRepository } from '../oci/repository.ts';
import { parseRepository } from '../reference/image-reference.ts';
import { TransferError } from '../transfer-error.ts';

/** What the other side of a gap holds: the blobs of each of its repositories. */
export interface Inventory {
  /** `registry.example.org/zone`; repositories are below it. */
  readonly registry: string;
  readonly repositories: ReadonlyMap<string, ReadonlySet<Digest>>;
}

/** Tells where on the other side a blob is, so that it need not be carried. */
export interface HeldElsewhere {
  /** A repository (relative to the other side) that holds the blob, the asked one first; undefined when none is known. */
  where(repository: string, blob: Descriptor, signal: AbortSignal | undefined): Promise<string | undefined>;
}

/** Largest inventory that is read, bytes: some 800,000 blobs. */
export const inventoryLimit = 64 * 1024 * 1024;

const kind = 'ArtifactInventory';

/** JSON that `parseInventory` reads, sorted so that two of them can be compared. */
export function formatInventory(inventory: Inventory): string {
  const repositories = [...inventory.repositories].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const sorted = Object.fromEntries(repositories.map(([name, blobs]) => [name, { blobs: [...blobs].sort() }]));
  return `${JSON.stringify({ kind, schemaVersion: 1, registry: inventory.registry, repositories: sorted }, undefined, 2)}\n`;
}

/** @throws TransferError `InvalidManifest` naming what is wrong with it */
export function parseInventory(bytes: Buffer, name: string): Inventory {
  const document = parseStrictJson(bytes, name) as Readonly<Record<string, unknown>> | null;
  if (document?.['kind'] !== kind || document['schemaVersion'] !== 1) throw invalid(name, `is no ${kind} of schemaVersion 1`);
  const { registry, repositories } = document;
  if (typeof registry !== 'string' || typeof repositories !== 'object' || repositories === null)
    throw invalid(name, 'has no registry or no repositories');
  const read = Object.entries(repositories).map(([repository, value]) => {
    const blobs = (value as { blobs?: unknown } | null)?.blobs;
    if (!Array.isArray(blobs)) throw invalid(name, `lists no blobs of ${repository.slice(0, 300)}`);
    return [parseRepository(repository), new Set(blobs.map((blob) => parseDigest(String(blob))))] as const;
  });
  return { registry, repositories: new Map(read) };
}

/** Both together; what `newer` says of a repository is added to what was known. */
export function mergeInventories(older: Inventory, newer: Inventory): Inventory {
  const merged = new Map(older.repositories);
  for (const [name, blobs] of newer.repositories) merged.set(name, new Set([...(merged.get(name) ?? []), ...blobs]));
  return { registry: newer.registry, repositories: merged };
}

export function heldByInventory(inventory: Inventory): HeldElsewhere {
  const holders = new Map<Digest, string>();
  for (const [name, blobs] of inventory.repositories) for (const blob of blobs) holders.set(blob, name);
  return {
    where: (repository, blob) =>
      Promise.resolve(inventory.repositories.get(repository)?.has(blob.digest) === true ? repository : holders.get(blob.digest)),
  };
}

/** Digests of all blobs below all tags of a repository. @throws TransferError */
export async function blobsOf(repository: ReadableRepository, signal?: AbortSignal): Promise<ReadonlySet<Digest>> {
  const blobs = new Set<Digest>();
  const seen = new Set<string>();
  const visit = async (reference: string): Promise<void> => {
    if (seen.has(reference)) return;
    seen.add(reference);
    const manifest = await repository.fetchManifest(reference, { signal });
    if (manifest === undefined) return;
    seen.add(manifest.descriptor.digest);
    for (const blob of manifest.blobs) if (!isForeignLayerType(blob.mediaType)) blobs.add(blob.digest);
    for (const child of manifest.children) {
      if (isManifestType(child.mediaType)) await visit(child.digest);
      else blobs.add(child.digest);
    }
  };
  for await (const tag of repository.listTags({ signal })) await visit(tag);
  return blobs;
}

function invalid(name: string, problem: string): TransferError {
  return new TransferError('InvalidManifest', `${name} ${problem}`, {
    hint: 'Write one with arcctl artifact inventory on the other side.',
  });
}
