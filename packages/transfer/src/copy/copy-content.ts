import { type Clock, isAbort } from '@arc/kernel';
import type { Descriptor } from '../descriptor/descriptor.ts';
import type { Manifest } from '../descriptor/manifest.ts';
import type { Digest } from '../digest/digest.ts';
import { retryDelay, type RetryPolicy } from '../http/retry.ts';
import type { ReadableRepository, WritableRepository } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { forEachBounded } from './bounded.ts';
import { attribute, CopyError } from './copy-error.ts';
import type { BandwidthLimit } from './bandwidth-limit.ts';
import type { BlobOutcome, CopyEvent, CopyProgress } from './copy-events.ts';
import type { ConflictPolicy } from './tag-conflict.ts';
import { type Graph, type ManifestNode, readGraph } from './graph.ts';

/** Both sides of one copy and how it is to go about it. */
export interface CopyContext {
  readonly source: ReadableRepository;
  readonly destination: WritableRepository;
  readonly signal: AbortSignal | undefined;
  /** Blobs in flight at a time. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  readonly onConflict: ConflictPolicy;
  /** True when everything is looked at as for a copy and nothing is written. */
  readonly dryRun: boolean;
  /** Shared by all blobs of a copy. */
  readonly bandwidth: BandwidthLimit | undefined;
  readonly emit: (event: CopyEvent) => void;
  readonly progress: CopyProgress;
  readonly counts: {
    manifestsCopied: number;
    manifestsPresent: number;
    copied: number;
    present: number;
    mounted: number;
    foreignLayers: number;
  };
  /** Blobs known to be at the destination, across the graphs of one copy. */
  readonly settled: Set<Digest>;
}

/** Reads the graph below a manifest, from the destination where it is there already (which spares the source's rate limit). */
export async function planGraph(context: CopyContext, root: Manifest, rootIsPresent: boolean): Promise<Graph> {
  const { source, signal } = context;
  const read = async (descriptor: Descriptor): Promise<ManifestNode> => {
    const held = await readAtDestination(context, descriptor.digest);
    if (held !== undefined) return { manifest: held, present: true };
    return { manifest: await readAtSource(context, descriptor.digest), present: false };
  };
  const graph = await attribute('source', 'read', `${source.name}@${root.descriptor.digest}`, signal, () =>
    readGraph({ manifest: root, present: rootIsPresent }, read),
  );
  const missingBytes = graph.missing.reduce((sum, { size }) => sum + size, 0);
  context.progress.plan(graph.totalBytes, graph.totalBytes - missingBytes);
  context.counts.present += graph.blobCount - graph.missing.length;
  context.counts.foreignLayers += graph.foreign.length;
  return graph;
}

/** @throws CopyError with code `NotFound` when the source has no such manifest */
export async function readAtSource(context: CopyContext, reference: string): Promise<Manifest> {
  const { source, signal } = context;
  const shown = `${source.name}${reference.includes(':') ? '@' : ':'}${reference}`;
  return attribute('source', 'read manifest', shown, signal, async () => {
    const manifest = await source.fetchManifest(reference, { signal });
    if (manifest === undefined) {
      throw new TransferError('NotFound', 'there is no such image', {
        status: 404,
        hint: 'Check the repository and the tag or digest of the image, and that the account may read it.',
      });
    }
    return manifest;
  });
}

export async function readAtDestination(context: CopyContext, digest: Digest): Promise<Manifest | undefined> {
  const { destination, signal } = context;
  return attribute('destination', 'read manifest', `${destination.name}@${digest}`, signal, () =>
    destination.fetchManifest(digest, { signal }),
  );
}

/** Copies what is missing below the root, then the manifests from the leaves up, without the root itself. */
export async function copyBelow(context: CopyContext, graph: Graph): Promise<void> {
  await forEachBounded(graph.missing, context.concurrency, (blob, signal) => copyBlob({ ...context, signal }, blob), context.signal);
  for (const { manifest, present } of graph.nodes) {
    if (manifest === graph.root) continue;
    await copyManifest(context, manifest, present);
  }
}

/** Stores a manifest at the destination under its digest. */
export async function copyManifest(context: CopyContext, manifest: Manifest, present: boolean): Promise<void> {
  const { destination, signal, counts } = context;
  const { digest, mediaType } = manifest.descriptor;
  if (!present && !context.dryRun)
    await attribute('destination', 'write manifest', `${destination.name}@${digest}`, signal, () =>
      destination.pushManifest(manifest, { signal }),
    );
  if (present) counts.manifestsPresent += 1;
  else counts.manifestsCopied += 1;
  context.emit({ kind: 'manifest', digest, mediaType, outcome: present ? 'present' : 'copied' });
}

async function copyBlob(context: CopyContext, blob: Descriptor): Promise<void> {
  const { settled, progress, counts } = context;
  if (settled.has(blob.digest)) {
    counts.present += 1;
    progress.settle(blob.digest, blob.size, 'present');
    return;
  }
  const outcome = await placeBlob(context, blob);
  settled.add(blob.digest);
  counts[outcome] += 1;
  progress.settle(blob.digest, blob.size, outcome);
}

async function placeBlob(context: CopyContext, blob: Descriptor): Promise<BlobOutcome> {
  const { source, destination, signal } = context;
  const there = `${destination.name}@${blob.digest}`;
  if (await attribute('destination', 'look for blob', there, signal, () => destination.hasBlob(blob, { signal }))) return 'present';
  if (context.dryRun) return 'copied';
  const from = source.mountPoint;
  const to = destination.mountPoint;
  if (from !== undefined && from.place === to?.place && from.repository !== to.repository && destination.mountBlob !== undefined) {
    const mounted = await attribute('destination', 'mount blob', there, signal, async () =>
      destination.mountBlob?.(blob, from.repository, { signal }),
    );
    if (mounted === true) return 'mounted';
  }
  await streamBlob(context, blob);
  return 'copied';
}

/** Sends a blob through, anew from its beginning when the destination breaks off; the source resumes by itself. */
async function streamBlob(context: CopyContext, blob: Descriptor): Promise<void> {
  const { destination, signal, clock, retry, progress, emit } = context;
  let damaged = false;
  for (let failures = 0; ; failures += 1) {
    try {
      await attribute('destination', 'write blob', `${destination.name}@${blob.digest}`, signal, () =>
        destination.pushBlob(blob, fromSource(context, blob), { signal }),
      );
      return;
    } catch (error) {
      progress.restart(blob.digest);
      if (!(error instanceof CopyError) || isAbort(error, signal)) throw error;
      // Damage on the way happens once; damage in the registry stays.
      const exhausted = error.cause instanceof TransferError && error.cause.tries !== undefined;
      const again = (error.retryable && !exhausted) || (!damaged && error.code === 'DigestMismatch');
      if (!again || failures + 1 >= retry.attempts) throw error;
      damaged ||= error.code === 'DigestMismatch';
      const delayMs = retryDelay(retry, failures, error.cause);
      emit({ kind: 'retry', operation: `copy blob ${blob.digest}`, reason: error.message, delayMs });
      await clock.sleep(delayMs, signal);
    }
  }
}

async function* fromSource(context: CopyContext, blob: Descriptor): AsyncGenerator<Buffer> {
  const { source, signal, progress, bandwidth } = context;
  try {
    for await (const chunk of source.fetchBlob(blob, { signal })) {
      await bandwidth?.take(chunk.length, signal);
      yield chunk;
      progress.advance(blob, chunk.length);
    }
  } catch (error) {
    if (error instanceof CopyError || signal?.aborted === true) throw error;
    throw new CopyError('source', 'read blob', `${source.name}@${blob.digest}`, error);
  }
}
