import { createTablePrinter } from '@arc/cli-kit';
import type { TablePrinter } from '@arc/cli-kit';
import type { Invocation } from '../command.ts';
import type { Selection } from './selection.ts';
import type { Table } from './table-request.ts';

/** Prints tables of one selection below each other under one line of headers. */
export class SelectionPrinter {
  readonly #invocation: Invocation;
  readonly #withNamespace: boolean;
  #printer: TablePrinter | undefined;

  constructor(invocation: Invocation, selection: Selection) {
    this.#invocation = invocation;
    this.#withNamespace = selection.type.namespaced && selection.namespace === undefined;
  }

  print(table: Table): void {
    const { streams, options, clock } = this.#invocation;
    const columns = table.columnDefinitions ?? [];
    this.#printer ??= createTablePrinter(streams.stdout, this.#withNamespace ? [{ name: 'Namespace' }, ...columns] : columns, {
      wide: options['output'] === 'wide',
      headers: options['headers'] !== false,
      clock,
    });
    this.#printer.print(
      (table.rows ?? []).map(({ cells, object }) => (this.#withNamespace ? [object?.metadata.namespace ?? '', ...cells] : cells)),
    );
  }
}
