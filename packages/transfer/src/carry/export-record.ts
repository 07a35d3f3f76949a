import { parseStrictJson } from '../descriptor/strict-json.ts';
import { type Digest, parseDigest } from '../digest/digest.ts';
import type { LayoutFiles } from '../oci/layout-files.ts';
import { parseRepository } from '../reference/image-reference.ts';
import { TransferError } from '../transfer-error.ts';

/** A file beside `index.json` that tells of blobs which are left out because the other side is said to hold them. */
const path = 'arc-export.json';
const limit = 64 * 1024 * 1024;

/** For each blob that is left out the repository of the other side that holds it. */
export type OmittedBlobs = ReadonlyMap<Digest, string>;

/** @throws TransferError `InvalidManifest` */
export async function readExportRecord(files: LayoutFiles): Promise<OmittedBlobs> {
  const bytes = await files.read(path, limit);
  if (bytes === undefined) return new Map();
  const document = parseStrictJson(bytes, `${files.name}, ${path}`) as { schemaVersion?: unknown; omitted?: unknown } | null;
  if (document?.schemaVersion !== 1 || typeof document.omitted !== 'object' || document.omitted === null)
    throw new TransferError('InvalidManifest', `${files.name}: ${path} is not what arcctl artifact export writes`);
  return new Map(
    Object.entries(document.omitted).map(([digest, repository]) => [parseDigest(digest), parseRepository(String(repository))]),
  );
}

export async function writeExportRecord(files: LayoutFiles, omitted: OmittedBlobs): Promise<void> {
  await files.replace(path, Buffer.from(JSON.stringify({ schemaVersion: 1, omitted: Object.fromEntries(omitted) })));
}
