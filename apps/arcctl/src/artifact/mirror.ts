import { UsageError } from '@arc/cli-kit';
import { copyArtifact, type CopyResult, forEachBounded, formatImageReference, parseEndpointURL } from '@arc/transfer';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { copyOptionsOf, parseFullReference, Registries } from './registries.ts';
import { resolveReferences } from './resolve-references.ts';
import { summaryOf, transferDisplay } from './transfer-display.ts';

/** Artifacts copied at a time: small ones spend their time waiting for answers. */
const atOnce = 4;

/** `arcctl artifact mirror REFERENCE... --to REGISTRY`: many artifacts, each below the registry under its own repository and tag. */
export async function mirrorArtifacts(invocation: Invocation): Promise<void> {
  const { streams, signal, clock } = invocation;
  const to = textOption(invocation, 'to') ?? '';
  const location = parseEndpointURL(to);
  if (location.kind !== 'registry')
    throw new UsageError(`--to takes a registry, not ${JSON.stringify(to)}`, { hint: 'Use arcctl artifact export for disks.' });
  using registries = await Registries.of(invocation);
  using display = transferDisplay(invocation);
  const artifacts = (await Promise.all(invocation.args.map((text) => resolveReferences(text, invocation, registries)))).flat();
  const options = copyOptionsOf(invocation);
  const results = new Map<string, CopyResult>();
  await forEachBounded(
    artifacts,
    atOnce,
    async ({ source, reference }, stop) => {
      const name = formatImageReference(reference);
      const { image } = parseFullReference(name);
      const destination = await registries.destination(location, image.repository);
      const result = await copyArtifact(source, reference.digest ?? reference.tag ?? 'latest', destination, {
        ...options,
        tags: reference.tag === undefined ? [] : [reference.tag],
        signal: stop,
        clock,
        onEvent: (event) => display.event(name, event),
      });
      results.set(name, result);
      display.done(name);
    },
    signal,
  );
  const ordered = artifacts.flatMap(({ reference }) => {
    const name = formatImageReference(reference);
    const result = results.get(name);
    return result === undefined ? [] : [{ name, result }];
  });
  if (textOption(invocation, 'output') === 'json') {
    streams.stdout.write(
      `${JSON.stringify(
        ordered.map(({ name, result }) => ({ reference: name, ...result })),
        undefined,
        2,
      )}\n`,
    );
    return;
  }
  for (const { name, result } of ordered) for (const line of summaryOf(name, result)) streams.stdout.write(`${line}\n`);
}
