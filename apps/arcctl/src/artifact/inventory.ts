import { UsageError } from '@arc/cli-kit';
import { parseEndpointURL } from '@arc/transfer';
import type { Digest } from '@arc/transfer';
import { blobsOf, formatInventory } from '@arc/transfer/carry';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { updateInventoryFile } from './inventory-file.ts';
import { Registries } from './registries.ts';

/** `arcctl artifact inventory REGISTRY REPOSITORY...`: what this side holds, to be carried to where exports are made. */
export async function takeInventory(invocation: Invocation): Promise<void> {
  const [registry = '', ...names] = invocation.args;
  const { streams, signal } = invocation;
  const location = parseEndpointURL(registry);
  if (location.kind !== 'registry') throw new UsageError(`${JSON.stringify(registry)} is not a registry`);
  using registries = await Registries.of(invocation);
  const repositories = new Map<string, ReadonlySet<Digest>>();
  for (const name of names) repositories.set(name, await blobsOf(await registries.source(location, name), signal));
  const file = textOption(invocation, 'to');
  if (file === undefined) streams.stdout.write(formatInventory({ registry, repositories }));
  else await updateInventoryFile(file, { registry, repositories });
}
