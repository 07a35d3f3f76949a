import { parseFileArtifactSpec } from '@arc/transfer';
import { blobCopy } from '../blob-copy.ts';
import { pairs } from '../delivery/pairs.ts';
import { requireTypes, type WorkerEnvironment } from '../environment.ts';
import { emptyWorkDirectory } from './work-directory.ts';

/** Brings the files into the directory that the steps share, to be scanned there. A dry run says instead what would be pushed. */
export async function blobFetch(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  if (environment.dryRun) return blobCopy(environment, write, signal);
  requireTypes(environment, pairs.blob);
  const { source, destination, specJSON } = environment;
  const spec = parseFileArtifactSpec(specJSON, source.type === 'http' ? 'url' : 'plain');
  const toRegistry = destination.type === 'oci';
  if (toRegistry && spec.version === undefined) spec.registryTarget(undefined);
  const { artifact } = await emptyWorkDirectory(environment);
  const staged = { ...environment, destination: { ...destination, type: 'file', url: artifact } };
  await blobCopy(toRegistry ? { ...staged, specJSON: withoutOverride(specJSON) } : staged, write, signal);
}

/** It names a repository, not a path. */
function withoutOverride(specJSON: string): string {
  const { override: _override, ...rest } = JSON.parse(specJSON) as Record<string, unknown>;
  return JSON.stringify(rest);
}
