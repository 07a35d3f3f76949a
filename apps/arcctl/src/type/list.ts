import { createTablePrinter } from '@arc/cli-kit';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { effectiveTypes } from './effective-types.ts';

/** `arcctl type list`: the artifact types that Orders of a namespace may name. */
export async function listTypes(invocation: Invocation): Promise<void> {
  const { stdout, stderr } = invocation.streams;
  const types = await effectiveTypes(invocation);
  if (textOption(invocation, 'output') === 'json') {
    const rows = types.map(({ object, scope, from, to, template }) => ({ name: object.metadata.name, scope, from, to, template }));
    stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  if (types.length === 0) {
    stderr.write('There are no artifact types: examples/ in the repository has some.\n');
    return;
  }
  createTablePrinter(
    stdout,
    ['Name', 'Scope', 'From', 'To', 'Template'].map((name) => ({ name })),
  ).print(types.map(({ object, scope, from, to, template }) => [object.metadata.name, scope, from, to, template]));
}
