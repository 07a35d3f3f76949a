import { formatBytes, UsageError } from '@arc/cli-kit';
import { formatImageReference, parseEndpointURL, repositoryAt } from '@arc/transfer';
import type { EndpointLocation } from '@arc/transfer';
import { exportArtifacts, heldByInventory, type ExportedArtifact, type HeldElsewhere } from '@arc/transfer/carry';
import { textOption, textsOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { readInventoryFile } from './inventory-file.ts';
import { openLayoutToWrite } from './layout-path.ts';
import { copyOptionsOf, Registries } from './registries.ts';
import { resolveReferences } from './resolve-references.ts';
import { summaryOf, transferDisplay } from './transfer-display.ts';

/** `arcctl artifact export REFERENCE... --to PATH`: artifacts onto a disk that is carried to the other side. */
export async function exportArtifactsCommand(invocation: Invocation): Promise<void> {
  const { streams, signal, clock } = invocation;
  using registries = await Registries.of(invocation);
  const artifacts: ExportedArtifact[] = [];
  for (const text of invocation.args) artifacts.push(...(await resolveReferences(text, invocation, registries)));
  const against = textOption(invocation, 'against');
  await using layout = await openLayoutToWrite(textOption(invocation, 'to') ?? '');
  using display = transferDisplay(invocation);
  const options = copyOptionsOf(invocation);
  const result = await exportArtifacts(artifacts, layout.files, {
    ...options,
    platforms: textsOption(invocation, 'platform'),
    ...(against === undefined ? {} : { held: await otherSide(against, registries) }),
    signal,
    clock,
    onEvent: ({ reference }, event) => display.event(formatImageReference(reference), event),
  });
  if (!options.dryRun) await layout.finish();
  for (const { reference } of result.artifacts) display.done(formatImageReference(reference));
  if (textOption(invocation, 'output') === 'json') {
    const listed = result.artifacts.map(({ reference, result }) => ({ reference: formatImageReference(reference), ...result }));
    streams.stdout.write(`${JSON.stringify({ artifacts: listed, omitted: result.omitted }, undefined, 2)}\n`);
    return;
  }
  for (const { reference, result: copied } of result.artifacts)
    for (const line of summaryOf(formatImageReference(reference), copied)) streams.stdout.write(`${line}\n`);
  if (result.omitted.blobs > 0)
    streams.stdout.write(`left out ${result.omitted.blobs} blobs (${formatBytes(result.omitted.bytes)}): the other side has them\n`);
}

/** An inventory file, or the receiving registry itself. */
async function otherSide(against: string, registries: Registries): Promise<HeldElsewhere> {
  if (against.endsWith('.json')) return heldByInventory(await readInventoryFile(against));
  const location = parseEndpointURL(against);
  if (location.kind !== 'registry')
    throw new UsageError(`--against takes an inventory (.json) or a registry, not ${JSON.stringify(against)}`);
  return heldByRegistry(location, registries);
}

function heldByRegistry(location: EndpointLocation & { kind: 'registry' }, registries: Registries): HeldElsewhere {
  const opened = new Map<string, ReturnType<Registries['source']>>();
  return {
    where: async (repository, blob, signal) => {
      const name = repositoryAt(location, repository);
      const open = opened.get(name) ?? registries.source(location, repository);
      opened.set(name, open);
      return (await (await open).hasBlob(blob, { signal })) ? repository : undefined;
    },
  };
}
