import { copyArtifact, type CopyOptions, type CopyResult } from '../copy/copy-artifact.ts';
import { attribute } from '../copy/copy-error.ts';
import type { Digest } from '../digest/digest.ts';
import { delegatingTo } from '../oci/delegating-repository.ts';
import { OciLayout } from '../oci/layout.ts';
import type { LayoutFiles } from '../oci/layout-files.ts';
import type { ReadableRepository } from '../oci/repository.ts';
import type { ImageReference } from '../reference/image-reference.ts';
import { readExportRecord, writeExportRecord } from './export-record.ts';
import { repositoryWithoutHost } from './carried-names.ts';
import type { HeldElsewhere } from './inventory.ts';

/** One artifact to be carried. */
export interface ExportedArtifact {
  readonly source: ReadableRepository;
  /** Its repository begins with the registry: `registry.example.org/team/app`. */
  readonly reference: ImageReference;
}

export interface ExportOptions extends Omit<CopyOptions, 'tags' | 'onEvent' | 'onConflict'> {
  /** Blobs that need not be carried. */
  readonly held?: HeldElsewhere;
  readonly onEvent?: (artifact: ExportedArtifact, event: Parameters<NonNullable<CopyOptions['onEvent']>>[0]) => void;
}

export interface ExportResult {
  readonly artifacts: readonly { readonly reference: ImageReference; readonly result: CopyResult }[];
  /** What is left out because the other side holds it, each blob once. */
  readonly omitted: { readonly blobs: number; readonly bytes: number };
}

/**
 * Copies artifacts with what refers to them into one layout, under their full names, one after the other. What the layout
 * holds already is kept, so that an export that was interrupted goes on; a tag that has moved since is moved.
 *
 * @throws CopyError; the reason of the signal. What was exported before stays.
 */
export async function exportArtifacts(
  artifacts: readonly ExportedArtifact[],
  files: LayoutFiles,
  options: ExportOptions = {},
): Promise<ExportResult> {
  const { held, onEvent, dryRun = false, signal } = options;
  const omitted = new Map(await readExportRecord(files));
  const left = new Map<Digest, number>();
  const results: { reference: ImageReference; result: CopyResult }[] = [];
  for (const artifact of artifacts) {
    const { source, reference } = artifact;
    const layout = await OciLayout.createFiles(files, reference.repository);
    const where = repositoryWithoutHost(reference.repository);
    const target = delegatingTo(layout, {
      // No manifest counts as there: an earlier export may have left blobs out below it that this one has to carry.
      fetchManifest: () => Promise.resolve(undefined),
      hasBlob: async (blob, request) => {
        if (await layout.hasBlob(blob)) return true;
        const holder = await held?.where(where, blob, request?.signal);
        if (holder === undefined) return false;
        omitted.set(blob.digest, holder);
        left.set(blob.digest, blob.size);
        return true;
      },
    });
    const before = omitted.size;
    const result = await copyArtifact(source, reference.digest ?? reference.tag ?? 'latest', target, {
      ...options,
      tags: reference.tag === undefined ? [] : [reference.tag],
      onConflict: 'overwrite',
      ...(onEvent === undefined ? { onEvent: () => {} } : { onEvent: (event) => onEvent(artifact, event) }),
    });
    if (reference.tag === undefined && !dryRun) {
      await attribute('destination', 'list', target.name, signal, async () => {
        const manifest = await layout.fetchManifest(result.destination.digest);
        if (manifest !== undefined) await layout.nameManifest(manifest);
      });
    }
    if (omitted.size > before && !dryRun) await writeExportRecord(files, omitted);
    results.push({ reference, result });
  }
  return { artifacts: results, omitted: { blobs: left.size, bytes: [...left.values()].reduce((sum, size) => sum + size, 0) } };
}
