import { copyArtifact, type CopyOptions, type CopyResult } from '../copy/copy-artifact.ts';
import { attribute } from '../copy/copy-error.ts';
import type { Descriptor } from '../descriptor/descriptor.ts';
import { isForeignLayerType, isManifestType } from '../descriptor/media-types.ts';
import type { Digest } from '../digest/digest.ts';
import { delegatingTo } from '../oci/delegating-repository.ts';
import { OciLayout } from '../oci/layout.ts';
import type { LayoutFiles } from '../oci/layout-files.ts';
import type { WritableRepository } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { type CarriedName, carriedNames } from './carried-names.ts';
import { readExportRecord } from './export-record.ts';

export interface ImportOptions extends Omit<CopyOptions, 'tags' | 'onEvent' | 'platforms'> {
  /** Where tags without a repository go, as other tools write them. */
  readonly repository?: string;
  /** Chooses among what there is; everything unless told. */
  readonly only?: (name: string) => boolean;
  readonly onEvent?: (name: CarriedName, event: Parameters<NonNullable<CopyOptions['onEvent']>>[0]) => void;
}

export interface ImportedArtifact {
  readonly name: CarriedName;
  readonly result: CopyResult;
}

const maxDepth = 8;

/**
 * Copies what a layout holds to the repositories of a receiving registry. First everything is looked for: each manifest and
 * blob that a chosen name needs must be in the layout or on the other side, or nothing is written. Every byte is checked
 * against its digest on its way, and each tag is set last, so that damage shows no half artifact; run again, it moves what
 * is missing.
 *
 * @throws CopyError, with code `Incomplete` when something is missing; the reason of the signal
 */
export async function importArtifacts(
  files: LayoutFiles,
  destination: (repository: string) => Promise<WritableRepository>,
  options: ImportOptions = {},
): Promise<readonly ImportedArtifact[]> {
  const { only = () => true, onEvent, signal, repository, ...copyOptions } = options;
  const whole = await attribute('source', 'open', files.name, signal, () => OciLayout.openFiles(files));
  const read = (): Promise<readonly CarriedName[]> => whole.names().then((names) => carriedNames(names, repository));
  const chosen = (await attribute('source', 'read the names of', files.name, signal, read)).filter(({ name }) => only(name));
  // Signatures that are tags come along with what they sign; what is left of them comes last.
  const names = chosen.toSorted((a, b) => Number(isDigestTag(a.tag)) - Number(isDigestTag(b.tag)));
  const omitted = await attribute('source', 'read', files.name, signal, () => readExportRecord(files));
  const opened = new Map<string, WritableRepository>();
  const open = async (name: string): Promise<WritableRepository> => {
    const known = opened.get(name) ?? (await attribute('destination', 'open', name, signal, () => destination(name)));
    opened.set(name, known);
    return known;
  };
  /** The neighbour of `target` that holds what the layout leaves out. */
  const holderOf = async (target: WritableRepository, blob: Descriptor): Promise<WritableRepository | undefined> => {
    const name = omitted.get(blob.digest);
    const holder = name === undefined ? undefined : await open(name);
    const isNeighbour = holder?.mountPoint?.place === target.mountPoint?.place && holder?.name !== target.name;
    return holder !== undefined && isNeighbour && (await holder.hasBlob(blob, { signal })) ? holder : undefined;
  };
  // Whose signature a manifest is that is not there, nobody can tell.
  const missing = new Set(await attribute('source', 'read', files.name, signal, () => whole.absent()));
  for (const name of names) {
    const target = await open(name.target);
    const canGet = async (blob: Descriptor): Promise<boolean> =>
      (await target.hasBlob(blob, { signal })) || (await holderOf(target, blob)) !== undefined;
    await findMissing(whole, name.digest, { target: target.name, canGet, missing, signal, referrers: copyOptions.referrers !== 'none' });
  }
  if (missing.size > 0) await attribute('source', 'read', files.name, signal, () => Promise.reject(incomplete(missing)));
  const imported: ImportedArtifact[] = [];
  for (const name of names) {
    const target = await open(name.target);
    const receiving = delegatingTo(target, {
      hasBlob: async (blob, request) => {
        if (await target.hasBlob(blob, request)) return true;
        if (await whole.hasBlob(blob)) return false;
        const from = (await holderOf(target, blob))?.mountPoint?.repository;
        if (from === undefined) return false;
        return copyOptions.dryRun === true || ((await target.mountBlob?.(blob, from, request)) ?? false);
      },
    });
    // With its repository the legacy tags of its signatures are found, too.
    const view = name.repository === undefined ? whole : whole.within(name.repository);
    const result = await copyArtifact(view, name.digest, receiving, {
      referrers: 'required',
      ...copyOptions,
      ...(signal === undefined ? {} : { signal }),
      tags: name.tag === undefined ? [] : [name.tag],
      onEvent: (event) => onEvent?.(name, event),
    });
    imported.push({ name, result });
  }
  return imported;
}

function isDigestTag(tag: string | undefined): boolean {
  return tag !== undefined && /^sha(?:256|512)-[0-9a-f]{64}/.test(tag);
}

function incomplete(missing: ReadonlySet<Digest>): TransferError {
  const shown = [...missing].sort().slice(0, 5).join(', ');
  return new TransferError(
    'Incomplete',
    `${missing.size === 1 ? 'something is' : `${missing.size} things are`} neither in it nor in the receiving registry: ${shown}${missing.size > 5 ? ', ...' : ''}`,
    { hint: 'Export again, against the inventory of this registry or without one; nothing was written.' },
  );
}

async function findMissing(
  layout: OciLayout,
  root: Digest,
  context: {
    /** The name of the receiving repository, and whether a blob is in it or can be taken over from a neighbour. */
    readonly target: string;
    readonly canGet: (blob: Descriptor) => Promise<boolean>;
    readonly missing: Set<Digest>;
    /** Whether what refers to it has to be there, too. */
    readonly referrers: boolean;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { target, canGet, missing, referrers, signal } = context;
  const seen = new Set<Digest>();
  const blobs = new Map<Digest, Descriptor>();
  const visit = async (digest: Digest, depth: number): Promise<void> => {
    if (seen.has(digest)) return;
    seen.add(digest);
    if (depth > maxDepth || seen.size > 10_000)
      await attribute('source', 'read', layout.name, signal, () =>
        Promise.reject(new TransferError('InvalidManifest', 'its manifests are nested too deeply or too many')),
      );
    const manifest = await attribute('source', 'read manifest', `${layout.name}@${digest}`, signal, () => layout.fetchManifest(digest));
    if (manifest === undefined) {
      missing.add(digest);
      return;
    }
    for (const blob of manifest.blobs) if (!isForeignLayerType(blob.mediaType)) blobs.set(blob.digest, blob);
    for (const child of manifest.children) {
      if (isManifestType(child.mediaType)) await visit(child.digest, depth + 1);
      else blobs.set(child.digest, child);
    }
    if (!referrers) return;
    const listed = await attribute('source', 'list referrers of', `${layout.name}@${digest}`, signal, () =>
      layout.listReferrers(manifest.descriptor),
    );
    for (const referrer of listed) await visit(referrer.digest, depth + 1);
  };
  await visit(root, 0);
  for (const blob of blobs.values()) {
    if (await layout.hasBlob(blob)) continue;
    const there = await attribute('destination', 'look for blob', `${target}@${blob.digest}`, signal, () => canGet(blob));
    if (!there) missing.add(blob.digest);
  }
}
