import { exitCodes } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { isStatusReason } from '@arc/apimachinery/client';
import { isAbort } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import type { Invocation } from '../command.ts';
import { printObjects } from '../output/print-objects.ts';
import type { ObjectFormat } from '../output/print-objects.ts';
import { selectorsOf } from './selection.ts';
import type { Selection } from './selection.ts';
import type { SelectionPrinter } from './selection-printer.ts';
import { requestTable, watchTable } from './table-request.ts';

/** A server that closes every watch at once must not be hammered. */
const pauseMs = 1000;

/** Prints the present state as a table and then a row for every change, until interrupted. */
export async function watchTables(
  invocation: Invocation,
  client: KubeClient,
  selection: Selection,
  printer: SelectionPrinter,
): Promise<ExitCode> {
  const { signal, clock } = invocation;
  const { type, namespace, labelSelector } = selection;
  const fieldSelector = fieldSelectorOf(selection);
  return await untilInterrupted(invocation, async () => {
    const table = await requestTable(client, type, { namespace, query: { labelSelector, fieldSelector } }, signal);
    if ((table.rows?.length ?? 0) > 0) printer.print(table);
    else await failIfMissing(client, selection, signal);
    let resourceVersion = table.metadata?.resourceVersion;
    for (;;) {
      const query = { labelSelector, fieldSelector, resourceVersion, allowWatchBookmarks: 'true' };
      let sawEvent = false;
      for await (const event of watchTable(client, type, { namespace, query }, signal)) {
        sawEvent = true;
        const rows = event.table.rows ?? [];
        resourceVersion = rows.at(-1)?.object?.metadata.resourceVersion ?? event.table.metadata?.resourceVersion ?? resourceVersion;
        // A watch may leave the columns to its first event, and the list has told them already.
        if (event.type !== 'BOOKMARK' && rows.length > 0) printer.print({ ...table, rows });
      }
      if (!sawEvent) await clock.sleep(pauseMs, signal);
    }
  });
}

/** The same with whole objects. */
export async function watchObjects(
  invocation: Invocation,
  client: KubeClient,
  selection: Selection,
  format: ObjectFormat,
): Promise<ExitCode> {
  const { signal, streams, clock } = invocation;
  const { type } = selection;
  const fieldSelector = fieldSelectorOf(selection);
  const options = { ...selectorsOf(selection), ...(fieldSelector !== undefined && { fieldSelector }), signal };
  return await untilInterrupted(invocation, async () => {
    const { items, metadata } = await client.list(type, options);
    for (const item of items) await printObjects(streams.stdout, type, [item], format, false);
    if (items.length === 0) await failIfMissing(client, selection, signal);
    let resourceVersion = metadata.resourceVersion ?? '';
    for (;;) {
      let sawEvent = false;
      for await (const event of client.watch(type, { ...options, resourceVersion, allowBookmarks: true })) {
        sawEvent = true;
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        if (event.type !== 'BOOKMARK') await printObjects(streams.stdout, type, [event.object], format, false);
      }
      signal.throwIfAborted();
      if (!sawEvent) await clock.sleep(pauseMs, signal);
    }
  });
}

/** Starts over when history does not reach back to where a watch ended; an interruption is the normal end. */
async function untilInterrupted({ signal }: Invocation, run: () => Promise<never>): Promise<ExitCode> {
  for (;;) {
    try {
      await run();
    } catch (error) {
      if (isAbort(error, signal)) return exitCodes.interrupted;
      if (!isStatusReason(error, 'Expired')) throw error;
    }
  }
}

/** A named object that does not exist is an error, as without -w. */
async function failIfMissing(client: KubeClient, { type, names, namespace }: Selection, signal: AbortSignal): Promise<void> {
  const [name] = names;
  if (name !== undefined) await client.get(type, { name, ...(namespace !== undefined && { namespace }) }, { signal });
}

function fieldSelectorOf({ names, fieldSelector }: Selection): string | undefined {
  return names.length > 0 ? `metadata.name=${names[0]}` : fieldSelector;
}
