import { UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { isStatusReason } from '@arc/apimachinery/client';
import type { KubeObject } from '@arc/apimachinery/client';
import { discover, findResource } from '@arc/kube-client';
import { connect } from '../cluster/connection.ts';
import type { Connection } from '../cluster/connection.ts';
import { hasFlag, textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { isObjectFormat, printObjects } from '../output/print-objects.ts';
import type { ObjectFormat } from '../output/print-objects.ts';
import { selectorsOf } from './selection.ts';
import type { Selection } from './selection.ts';
import { SelectionPrinter } from './selection-printer.ts';
import { requestTable } from './table-request.ts';
import { watchObjects, watchTables } from './watch.ts';

const pageSize = 500;

/** `arcctl get KIND [NAME...]`. */
export async function getObjects(invocation: Invocation): Promise<ExitCode | void> {
  await using connection = await connect(invocation);
  const selection = await selectionFrom(invocation, connection);
  const format = textOption(invocation, 'output');
  const isWatch = hasFlag(invocation, 'watch');
  if (isObjectFormat(format)) {
    if (isWatch) return await watchObjects(invocation, connection.client, selection, format);
    return await printSelected(invocation, connection, selection, format);
  }
  const printer = new SelectionPrinter(invocation, selection);
  if (isWatch) return await watchTables(invocation, connection.client, selection, printer);
  return await printTables(invocation, connection, selection, printer);
}

async function selectionFrom(invocation: Invocation, connection: Connection): Promise<Selection> {
  const { kind, names } = splitArguments(invocation.args);
  const labelSelector = textOption(invocation, 'selector');
  const fieldSelector = textOption(invocation, 'fieldSelector');
  const allNamespaces = hasFlag(invocation, 'allNamespaces');
  if (names.length > 0 && (labelSelector ?? fieldSelector) !== undefined) {
    throw new UsageError('names and selectors cannot be given together', { hint: 'Leave out the names, or -l and --field-selector.' });
  }
  if (names.length > 0 && allNamespaces) {
    throw new UsageError('a name cannot be looked up in all namespaces', { hint: 'Leave out -A, and name the namespace with -n.' });
  }
  if (names.length > 1 && hasFlag(invocation, 'watch')) throw new UsageError('only one object, or all of a kind, can be watched');
  const { type } = findResource(await discover(connection.client, { signal: invocation.signal }), kind);
  const namespace = type.namespaced && !allNamespaces ? connection.namespace : undefined;
  return { type, namespace, names, labelSelector, fieldSelector };
}

/** `KIND NAME...` or `KIND/NAME`. */
function splitArguments([first = '', ...names]: readonly string[]): { kind: string; names: readonly string[] } {
  const [kind = '', name, ...rest] = first.split('/');
  if (name === undefined) return { kind, names };
  if (rest.length > 0 || names.length > 0 || name === '') {
    throw new UsageError(`${JSON.stringify(first)} is not KIND/NAME`, { hint: 'Write KIND NAME... or KIND/NAME.' });
  }
  return { kind, names: [name] };
}

async function printSelected(invocation: Invocation, connection: Connection, selection: Selection, format: ObjectFormat): Promise<void> {
  const { client } = connection;
  const { type, namespace, names } = selection;
  const { streams, signal } = invocation;
  const objects: KubeObject[] = [];
  if (names.length > 0) {
    for (const name of names) objects.push(await client.get(type, { name, ...(namespace !== undefined && { namespace }) }, { signal }));
  } else {
    let next: string | undefined;
    do {
      const page = await client.list(type, {
        ...selectorsOf(selection),
        limit: pageSize,
        ...(next !== undefined && { continue: next }),
        signal,
      });
      objects.push(...page.items);
      next = page.metadata.continue;
    } while (next !== undefined && next !== '');
  }
  await printObjects(streams.stdout, type, objects, format, names.length !== 1);
}

async function printTables(invocation: Invocation, connection: Connection, selection: Selection, printer: SelectionPrinter): Promise<void> {
  const { type, namespace, names, labelSelector, fieldSelector } = selection;
  const { streams, signal } = invocation;
  let missing: unknown;
  for (const name of names) {
    try {
      printer.print(await requestTable(connection.client, type, { namespace, name }, signal));
    } catch (error) {
      // The others are worth printing; the first that is missing decides the exit code.
      if (!isStatusReason(error, 'NotFound') || names.length === 1) throw error;
      missing ??= error;
    }
  }
  if (missing !== undefined) throw missing;
  if (names.length > 0) return;
  let next: string | undefined;
  let total = 0;
  do {
    const query = { limit: String(pageSize), labelSelector, fieldSelector, continue: next };
    const table = await requestTable(connection.client, type, { namespace, query }, signal);
    total += table.rows?.length ?? 0;
    if ((table.rows?.length ?? 0) > 0) printer.print(table);
    await streams.stdout.drained();
    next = table.metadata?.continue;
  } while (next !== undefined && next !== '');
  if (total === 0) {
    streams.stderr.write(namespace === undefined ? 'No resources found\n' : `No resources found in ${namespace} namespace.\n`);
  }
}
