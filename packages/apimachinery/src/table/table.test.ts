import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KindDefinition } from '../kind/kind.ts';
import type { KubeObject } from '../meta/types.ts';
import { s } from '../schema/builder.ts';
import {
  listHead,
  listTail,
  partialObjectMetadata,
  partialObjectMetadataListHead,
  tableHead,
  tableObject,
  tableTail,
} from './table-object.ts';
import { tableOf, tableRow } from './table.ts';

interface Widget extends KubeObject {
  spec?: { size?: number; note?: string };
}

const widget: KindDefinition<Widget> = {
  group: 'demo.example.com',
  version: 'v1',
  kind: 'Widget',
  names: { plural: 'widgets', singular: 'widget' },
  scope: 'Namespaced',
  description: 'A widget.',
  schema: s.object({}),
  columns: [
    { name: 'Size', type: 'integer', description: 'How big.', value: (object) => object.spec?.size },
    { name: 'Age', type: 'date', description: 'When created.', value: (object) => object.metadata.creationTimestamp ?? undefined },
    { name: 'Note', type: 'string', description: 'A note.', priority: 1, value: (object) => object.spec?.note },
    { name: 'Gone', type: 'date', description: 'When deleted.', value: (object) => object.metadata.deletionTimestamp },
  ],
};
const object: Widget = {
  apiVersion: 'demo.example.com/v1',
  kind: 'Widget',
  metadata: { name: 'wé', namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { size: 3, note: 'ä"\n' },
};
const created = Date.parse('2026-01-01T00:00:00Z');
const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

test("4.2 columns: Name first with format name, then the kind's own", () => {
  const columns = JSON.parse(tableOf(widget).columnDefinitions) as {
    name: string;
    type: string;
    format: string;
    priority: number;
    description: string;
  }[];
  assert.deepEqual(
    columns.map(({ name, type, format, priority }) => [name, type, format, priority]),
    [
      ['Name', 'string', 'name', 0],
      ['Size', 'integer', '', 0],
      ['Age', 'date', '', 0],
      ['Note', 'string', '', 1],
      ['Gone', 'date', '', 0],
    ],
  );
  assert.ok(columns.every(({ description }) => description !== ''));
});

test('4.2 cells are kept, ages are rendered when the row is written', () => {
  const cells = tableOf(widget).cellsOf(object);
  const at = (now: number): unknown => (parse(tableRow(cells, { now, object: 'null' })) as { cells: unknown }).cells;
  assert.deepEqual(at(created + 5000), ['wé', 3, '5s', 'ä"\n', '<unknown>']);
  assert.deepEqual(at(created + 3_600_000), ['wé', 3, '60m', 'ä"\n', '<unknown>']);
  assert.deepEqual(at(created - 500), ['wé', 3, '0s', 'ä"\n', '<unknown>']);
  assert.deepEqual(at(created - 5000), ['wé', 3, '<invalid>', 'ä"\n', '<unknown>']);
  const withoutValues: Widget = { ...object, metadata: { name: 'w' }, spec: {} };
  const bare = tableOf(widget).cellsOf(withoutValues);
  assert.deepEqual(parse(tableRow(bare, { now: 0, object: 'null' })), {
    cells: ['w', '<none>', '<unknown>', '<none>', '<unknown>'],
    object: null,
  });
});

test('4.2 a kind without columns shows Name and Created At', () => {
  const { columns: _, ...rest } = widget;
  const table = tableOf(rest);
  assert.deepEqual(
    (JSON.parse(table.columnDefinitions) as { name: string; type: string }[]).map(({ name, type }) => [name, type]),
    [
      ['Name', 'string'],
      ['Created At', 'date'],
    ],
  );
  assert.deepEqual(parse(tableRow(table.cellsOf(object), { now: 0, object: '{}' })), { cells: ['wé', '2026-01-01T00:00:00Z'], object: {} });
});

test('4.2 a table around rows, 4.3 metadata around bytes', () => {
  const table = tableOf(widget);
  const metadata = partialObjectMetadata(new TextEncoder().encode(JSON.stringify(object.metadata)));
  const row = tableRow(table.cellsOf(object), { now: created, object: metadata });
  assert.deepEqual(parse(tableObject([row, row], { metadata: { resourceVersion: '7' }, columnDefinitions: table.columnDefinitions })), {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7' },
    columnDefinitions: JSON.parse(table.columnDefinitions),
    rows: Array.from({ length: 2 }, () => ({
      cells: ['wé', 3, '0s', 'ä"\n', '<unknown>'],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  });
  assert.deepEqual(JSON.parse(tableHead({ metaVersion: 'v1beta1' }) + tableTail), {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1beta1',
    metadata: {},
    columnDefinitions: [],
    rows: [],
  });
  assert.deepEqual(
    JSON.parse(partialObjectMetadataListHead({ resourceVersion: '1', continue: 'c' }) + new TextDecoder().decode(metadata) + listTail),
    {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '1', continue: 'c' },
      items: [parse(metadata)],
    },
  );
  assert.deepEqual(JSON.parse(listHead({ kind: 'WidgetList', apiVersion: 'demo.example.com/v1' }, { resourceVersion: '1' }) + listTail), {
    kind: 'WidgetList',
    apiVersion: 'demo.example.com/v1',
    metadata: { resourceVersion: '1' },
    items: [],
  });
});
