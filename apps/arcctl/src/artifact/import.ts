import { ArcError } from '@arc/kernel';
import { UsageError } from '@arc/cli-kit';
import { globMatcher, parseEndpointURL } from '@arc/transfer';
import type { Digest } from '@arc/transfer';
import { blobsOf, importArtifacts } from '@arc/transfer/carry';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { updateInventoryFile } from './inventory-file.ts';
import { openLayoutToRead } from './layout-path.ts';
import { copyOptionsOf, Registries } from './registries.ts';
import { summaryOf, transferDisplay } from './transfer-display.ts';

/** `arcctl artifact import PATH REGISTRY`: what was carried here, into the registry of this side. */
export async function importArtifactsCommand(invocation: Invocation): Promise<void> {
  const [path = '', registry = ''] = invocation.args;
  const { streams, signal, clock } = invocation;
  const location = parseEndpointURL(registry);
  if (location.kind !== 'registry')
    throw new UsageError(`${JSON.stringify(registry)} is not a registry`, {
      hint: 'Write registry.example.org or registry.example.org/zone.',
    });
  const only = textOption(invocation, 'only');
  const repository = textOption(invocation, 'repository');
  using registries = await Registries.of(invocation);
  await using layout = await openLayoutToRead(path);
  using display = transferDisplay(invocation);
  const options = copyOptionsOf(invocation);
  const imported = await importArtifacts(layout.files, (name) => registries.destination(location, name), {
    ...options,
    ...(only === undefined ? {} : { only: globMatcher(only) }),
    ...(repository === undefined ? {} : { repository }),
    signal,
    clock,
    onEvent: ({ name }, event) => display.event(name, event),
  });
  if (imported.length === 0) {
    throw new ArcError('NotFound', `${path} has nothing to import`, {
      hint: 'Check --only; tags without a repository, as other tools write them, need --repository.',
    });
  }
  for (const { name } of imported) display.done(name.name);
  const inventory = textOption(invocation, 'inventory');
  if (inventory !== undefined && !options.dryRun) {
    const repositories = new Map<string, ReadonlySet<Digest>>();
    for (const { name } of imported) {
      if (repositories.has(name.target)) continue;
      repositories.set(name.target, await blobsOf(await registries.source(location, name.target), signal));
    }
    await updateInventoryFile(inventory, { registry, repositories });
  }
  if (textOption(invocation, 'output') === 'json') {
    const listed = imported.map(({ name, result }) => ({ reference: name.name, repository: name.target, ...result }));
    streams.stdout.write(`${JSON.stringify(listed, undefined, 2)}\n`);
    return;
  }
  for (const { name, result } of imported) for (const line of summaryOf(name.name, result)) streams.stdout.write(`${line}\n`);
}
