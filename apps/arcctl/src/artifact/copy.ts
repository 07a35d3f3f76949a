import { copyArtifact } from '@arc/transfer';
import { textOption, textsOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { copyOptionsOf, parseFullReference, Registries } from './registries.ts';
import { summaryOf, transferDisplay } from './transfer-display.ts';

/** `arcctl artifact copy SOURCE DESTINATION`: one artifact with what refers to it, without a server. */
export async function copyArtifactCommand(invocation: Invocation): Promise<void> {
  const [from = '', to = ''] = invocation.args;
  const source = parseFullReference(from);
  const destination = parseFullReference(to);
  const { streams, signal, clock } = invocation;
  using registries = await Registries.of(invocation);
  using display = transferDisplay(invocation);
  const result = await copyArtifact(
    await registries.source(source.location, source.image.repository),
    source.image.digest ?? source.image.tag ?? 'latest',
    await registries.destination(destination.location, destination.image.repository),
    {
      ...copyOptionsOf(invocation),
      tags: [...(destination.image.tag === undefined ? [] : [destination.image.tag]), ...textsOption(invocation, 'tag')],
      platforms: textsOption(invocation, 'platform'),
      signal,
      clock,
      onEvent: (event) => display.event(from, event),
    },
  );
  display.done(from);
  if (textOption(invocation, 'output') === 'json') streams.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  else for (const line of summaryOf(from, result)) streams.stdout.write(`${line}\n`);
}
