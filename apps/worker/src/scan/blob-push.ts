import { systemClock } from '@arc/kernel';
import { type ComposedBlob, type FileArtifact, FileDirectory, parseDigest, parseFileArtifactSpec } from '@arc/transfer';
import { artifactOf, deliverFiles } from '../blob-copy.ts';
import { type DeliveryContext, deliverToRegistry } from '../delivery/deliver.ts';
import { type DeliveryReceipt, readDeliveryReceipt } from '../delivery/delivery-receipt.ts';
import { pairs } from '../delivery/pairs.ts';
import { requireTypes, type WorkerEnvironment } from '../environment.ts';
import { ProgressFile } from '../progress-file.ts';
import { writeReceipt } from '../write-receipt.ts';
import { scanCheck, workDirectory } from './work-directory.ts';

/**
 * Delivers exactly the files that were fetched, from where they were scanned: every byte is compared with the digests in the receipt of
 * the fetch. The scan's verdict joins the checks.
 *
 * @throws ArcError `NotScanned` before anything is delivered; CopyError
 */
export async function blobPush(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  requireTypes(environment, pairs.blob);
  const fetched = readDeliveryReceipt(environment.receiptJSON);
  const { files, source } = fetched;
  const what = files.length === 1 ? source.digest : `${files.length} files`;
  const scan = await scanCheck(what, { ...environment, dryRun: fetched.dryRun }, write);
  const checks = [...fetched.checks, scan];
  if (fetched.dryRun) return writeReceipt(environment.receiptFile, { ...fetched, checks });
  const spec = parseFileArtifactSpec(environment.specJSON, environment.source.type === 'http' ? 'url' : 'plain');
  const directory = await FileDirectory.open(workDirectory(environment).artifact);
  const progress = new ProgressFile(environment.progressFile, systemClock);
  const context: DeliveryContext = { environment, onConflict: spec.onConflict ?? environment.onConflict, progress, write, signal };
  const staged = files.map((file) => ({ path: file.path ?? file.name, blob: blobOf(file, spec, directory) }));
  const toRegistry = environment.destination.type === 'oci';
  const delivered = toRegistry
    ? await deliverToRegistry(artifactOf(source.reference, spec, staged), spec.registryTarget(source.version), context)
    : await deliverFiles(source.reference, staged, context);
  progress.flush();
  const receipt: DeliveryReceipt = {
    ...fetched,
    ...delivered,
    files: toRegistry ? files.map(({ name, digest, size }) => ({ name, digest, size })) : files,
    checks,
    warnings: [...fetched.warnings, ...delivered.warnings],
    finishedAt: new Date(systemClock.now()).toISOString(),
  };
  await writeReceipt(environment.receiptFile, receipt);
}

function blobOf(
  { name, path, digest, size }: DeliveryReceipt['files'][number],
  spec: FileArtifact,
  directory: FileDirectory,
): ComposedBlob {
  return {
    ...{ mediaType: spec.mediaType, digest: parseDigest(digest), size },
    annotations: { 'org.opencontainers.image.title': name },
    open: (signal) => directory.file(path ?? name).read({ signal }),
  };
}
