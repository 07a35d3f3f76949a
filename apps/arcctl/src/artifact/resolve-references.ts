import { UsageError } from '@arc/cli-kit';
import { listVersions, parseRange } from '@arc/transfer';
import type { ExportedArtifact } from '@arc/transfer/carry';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { parseFullReference, type Registries } from './registries.ts';

/** One reference, or with `--versions` each version of its repository. @throws UsageError, TransferError */
export async function resolveReferences(text: string, invocation: Invocation, registries: Registries): Promise<ExportedArtifact[]> {
  const { location, image, name } = parseFullReference(text);
  const source = await registries.source(location, image.repository);
  const range = textOption(invocation, 'versions');
  if (range === undefined) return [{ source, reference: { ...image, repository: name } }];
  if (image.digest !== undefined || !text.endsWith(image.repository))
    throw new UsageError(`${JSON.stringify(text)} names one version`, { hint: 'Leave the tag or digest out: --versions chooses.' });
  const versions = await listVersions(source, { range: parseRange(range), signal: invocation.signal });
  return versions.map(({ tag }) => ({ source, reference: { repository: name, tag, digest: undefined } }));
}
