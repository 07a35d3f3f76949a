import { artifactWorkflows } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { createTablePrinter } from '@arc/cli-kit';
import { connect } from '../cluster/connection.ts';
import { hasFlag, textOption } from '../command.ts';
import type { Invocation } from '../command.ts';

/** `arcctl queue`: the runs that wait for their turn, as their status tells. */
export async function showQueue(invocation: Invocation): Promise<void> {
  const { signal, streams } = invocation;
  const isEverywhere = hasFlag(invocation, 'allNamespaces');
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  // What is scheduled is Active all its life, also while one of its runs waits.
  const lists = await Promise.all(
    ['Pending', 'Active'].map((phase) =>
      client.list<ArtifactWorkflow>(artifactWorkflows, {
        fieldSelector: `status.phase=${phase}`,
        signal,
        ...(!isEverywhere && { namespace }),
      }),
    ),
  );
  const items = lists.flatMap((list) => list.items);
  const waiting = items.filter(({ status }) => status?.queuePosition !== undefined).toSorted((a, b) => positionOf(a) - positionOf(b));
  if (textOption(invocation, 'output') === 'json') {
    streams.stdout.write(`${JSON.stringify(waiting.map(asJson), null, 2)}\n`);
    return;
  }
  if (waiting.length === 0) {
    streams.stderr.write('Nothing waits for its turn.\n');
    return;
  }
  createTablePrinter(
    streams.stdout,
    [{ name: 'Position' }, { name: 'Namespace' }, { name: 'Name' }, { name: 'Type' }, { name: 'Age', type: 'date' }, { name: 'Why' }],
    { clock: invocation.clock },
  ).print(
    waiting.map(({ metadata, spec, status }) => [
      status?.queuePosition,
      metadata.namespace,
      metadata.name,
      spec?.type ?? '-',
      metadata.creationTimestamp,
      status?.message ?? '',
    ]),
  );
}

function positionOf({ status }: ArtifactWorkflow): number {
  return status?.queuePosition ?? 0;
}

function asJson({ metadata, spec, status }: ArtifactWorkflow): unknown {
  const { namespace, name, creationTimestamp } = metadata;
  return {
    position: status?.queuePosition,
    namespace,
    name,
    type: spec?.type,
    creationTimestamp,
    reason: status?.reason,
    message: status?.message,
  };
}
