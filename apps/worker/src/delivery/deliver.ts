import { systemClock } from '@arc/kernel';
import {
  attribute,
  BandwidthLimit,
  type ComposedArtifact,
  type ComposedBlob,
  type ConflictPolicy,
  copyArtifact,
  CopyError,
  type FileStore,
  readVerified,
  tagConflict,
} from '@arc/transfer';
import { openSide } from '../artifact-sides.ts';
import { formatBytes } from '../byte-text.ts';
import { CopyLog } from '../copy-log.ts';
import type { WorkerEnvironment } from '../environment.ts';
import type { ProgressFile } from '../progress-file.ts';
import type { DeliveryReceipt } from './delivery-receipt.ts';

/** What every delivery has, wherever it goes. */
export interface DeliveryContext {
  readonly environment: WorkerEnvironment;
  readonly onConflict: ConflictPolicy;
  readonly progress: ProgressFile;
  readonly write: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The part of a receipt that depends on the destination. */
export type Delivered = Pick<DeliveryReceipt, 'destination' | 'kept' | 'bytes' | 'warnings'>;

/** Puts an artifact into a registry or OCI layout under its tags. @throws CopyError */
export async function deliverToRegistry(
  artifact: ComposedArtifact,
  target: { readonly repository: string; readonly tags: readonly string[] },
  context: DeliveryContext,
): Promise<Delivered> {
  const { environment, write, signal, progress, onConflict } = context;
  using endpoint = await openSide('destination', environment, write, signal);
  const destination = await attribute('destination', 'open', target.repository, signal, () => endpoint.destination(target.repository));
  const log = new CopyLog(write, systemClock, environment);
  const { digest } = artifact.manifest.descriptor;
  const result = await copyArtifact(artifact, digest, destination, {
    tags: target.tags,
    referrers: 'none',
    onConflict,
    dryRun: environment.dryRun,
    concurrency: environment.concurrency,
    ...(environment.maxBytesPerSecond === 0 ? {} : { maxBytesPerSecond: environment.maxBytesPerSecond }),
    signal,
    onEvent: (event) => {
      if (event.kind === 'progress') progress.update(event.doneBytes, event.totalBytes);
      if (event.kind !== 'resolved') log.event(event);
    },
  });
  log.done(result);
  return {
    destination: {
      references: result.tags.map((tag) => `${destination.name}:${tag}`),
      digest,
      place: { kind: 'oci', repository: target.repository, tags: result.tags },
    },
    kept: result.kept.map((kept) => ({ reference: `${destination.name}:${kept.tag}`, digest: kept.digest })),
    bytes: result.bytes,
    warnings: result.warnings,
  };
}

/** Writes files that come from `source` into the store of the destination; the first one is what the delivery is named by. @throws CopyError */
export async function deliverToStore(
  source: string,
  files: readonly { readonly path: string; readonly blob: ComposedBlob }[],
  store: FileStore,
  context: DeliveryContext,
): Promise<Delivered> {
  const { environment, write, signal, progress, onConflict } = context;
  const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
  const kept: { reference: string; digest: string }[] = [];
  const waiting: (typeof files)[number][] = [];
  let done = 0;
  for (const file of files) {
    const reference = `${store.name}/${file.path}`;
    const present = await attribute('destination', 'look for', reference, signal, () =>
      store.digest(file.path, file.blob.digest, { signal }),
    );
    if (present === file.blob.digest) {
      done += file.blob.size;
      write(`skipped   ${reference}, already there`);
    } else if (present === undefined || onConflict === 'overwrite') waiting.push(file);
    else if (onConflict === 'skip') {
      kept.push({ reference, digest: present });
      write(`kept      ${reference} stays ${present}`);
    } else
      await attribute('destination', 'write', reference, signal, () => Promise.reject(tagConflict(reference, present, file.blob.digest)));
  }
  const copied = waiting.reduce((sum, { blob }) => sum + blob.size, 0);
  const limit = environment.maxBytesPerSecond === 0 ? undefined : new BandwidthLimit(environment.maxBytesPerSecond, systemClock);
  async function* counted(blob: ComposedBlob): AsyncGenerator<Buffer> {
    const before = done;
    let read = 0;
    try {
      for await (const chunk of readVerified(blob, source, signal)) {
        await limit?.take(chunk.length, signal);
        yield chunk;
        read += chunk.length;
        progress.update(before + read, total);
      }
    } catch (error) {
      throw error instanceof CopyError || signal.aborted ? error : new CopyError('source', 'read', source, error);
    }
  }
  for (const { path, blob } of waiting) {
    const reference = `${store.name}/${path}`;
    if (!environment.dryRun) {
      await attribute('destination', 'write', reference, signal, () =>
        store.write(
          path,
          { digest: blob.digest, size: blob.size, open: () => counted(blob) },
          { signal, overwrite: onConflict === 'overwrite' },
        ),
      );
    }
    done += blob.size;
    write(`${environment.dryRun ? 'would write' : 'written  '} ${reference} ${formatBytes(blob.size)}`);
  }
  progress.update(total, total);
  write(
    environment.dryRun
      ? `plan      ${formatBytes(copied)} to write; nothing was written`
      : `done      ${formatBytes(copied)} written of ${formatBytes(total)}`,
  );
  const delivered = files.filter(({ path }) => !kept.some(({ reference }) => reference === `${store.name}/${path}`));
  return {
    destination: {
      references: delivered.map(({ path }) => `${store.name}/${path}`),
      digest: files[0]?.blob.digest ?? '',
      place: { kind: 'file', paths: delivered.map(({ path }) => path) },
    },
    kept,
    bytes: { copied, total },
    warnings: store.warnings ?? [],
  };
}
