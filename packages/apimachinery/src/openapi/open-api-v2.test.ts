import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { KindDefinition } from '../kind/kind.ts';
import { s } from '../schema/builder.ts';
import { buildOpenApiV2 } from './open-api-v2.ts';

const hashes = { sha512: (text: string): string => createHash('sha512').update(text).digest('hex') };
const widget: KindDefinition = {
  group: 'demo.example.com',
  version: 'v1',
  kind: 'Widget',
  names: { plural: 'widgets', singular: 'widget' },
  scope: 'Namespaced',
  description: 'A widget.',
  schema: s.object({ spec: s.object({ port: s.optional(s.intOrString()) }) }),
};
const note: KindDefinition = {
  ...widget,
  group: '',
  kind: 'Note',
  names: { plural: 'notes', singular: 'note' },
  strategicMergePatch: true,
};
const built = buildOpenApiV2({ kinds: [widget, note] }, hashes, { version: 'v1.2.3', serverSideApply: true });
const document = JSON.parse(built.json) as {
  paths: Record<string, Record<string, { consumes: string[]; parameters: { name: string; in: string }[] }>>;
  definitions: Record<string, Record<string, unknown>>;
};

test('1.3 one document of all kinds under the names of v3, strategic merge patch only where it is taken', () => {
  const patch = document.paths['/apis/demo.example.com/v1/namespaces/{namespace}/widgets/{name}']?.['patch'];
  assert.ok(!patch?.consumes.includes('application/strategic-merge-patch+json'));
  assert.ok(
    document.paths['/api/v1/namespaces/{namespace}/notes/{name}']?.['patch']?.consumes.includes('application/strategic-merge-patch+json'),
  );
  assert.ok(patch?.parameters.some(({ name, in: place }) => name === 'dryRun' && place === 'query'));
  assert.ok(document.definitions['com.example.demo.v1.Widget'] && document.definitions['io.k8s.api.core.v1.Note']);
  for (const [, name = ''] of built.json.matchAll(/"#\/definitions\/([^"]+)"/g)) assert.ok(document.definitions[name], name);
  assert.doesNotMatch(built.json, /#\/components|"anyOf"|requestBody/);
});

test('1.3 the protobuf form begins with swagger and info, and names every definition', () => {
  const text = Buffer.from(built.protobuf).toString('latin1');
  assert.ok(text.startsWith('\n\u00032.0\u0012\u0014\n\nKubernetes\u0012\u0006v1.2.3'));
  for (const name of Object.keys(document.definitions)) assert.ok(text.includes(name), name);
});
