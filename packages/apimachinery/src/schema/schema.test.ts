import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cloneJson } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import type { KindDefinition } from '../kind/kind.ts';
import { s } from './builder.ts';
import { applyDefaults } from './defaults.ts';
import { objectSchemaOf } from './object-schema.ts';
import { dropNulls, prune } from './prune.ts';
import { strictDecodingMessages, strictDecodingText } from './strict-decoding.ts';
import type { StructuralSchema } from './structural.ts';
import { validateSchema } from './validate.ts';

const widget: KindDefinition = {
  group: 'demo.example.com',
  version: 'v1',
  kind: 'Widget',
  names: { plural: 'widgets', singular: 'widget' },
  scope: 'Namespaced',
  description: 'A widget.',
  schema: s.object({
    spec: s.object({
      size: s.optional(s.integer({ minimum: 1, maximum: 9 })),
      weight: s.optional(s.number()),
      mode: s.optional(s.literals(['Fast', 'Safe'], { default: 'Safe' })),
      code: s.optional(s.string({ pattern: '^[a-z]+$', minLength: 2, maxLength: 4 })),
      port: s.optional(s.intOrString()),
      at: s.optional(s.time()),
      data: s.optional(s.string({ format: 'byte' })),
      note: s.optional(s.string({ nullable: true })),
      tags: s.optional(s.array(s.string(), { 'x-kubernetes-list-type': 'set', minItems: 1, maxItems: 3 })),
      parts: s.optional(s.listMap(s.object({ name: s.string(), count: s.optional(s.integer({ default: 1 })) }), ['name'])),
      labels: s.optional(s.map(s.string(), { maxProperties: 2 })),
      free: s.optional(s.freeForm({})),
      template: s.optional<JsonObject>({
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      }),
      retry: s.optional(s.object({ limit: s.integer({ default: 3 }) }, { default: {} })),
    }),
  }),
};
const schema = objectSchemaOf(widget);
const object = (spec: unknown, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'demo.example.com/v1',
  kind: 'Widget',
  metadata: { name: 'w' },
  spec,
  ...more,
});
const texts = (spec: unknown): string[] => validateSchema(object(spec), schema, '').map((error) => `${error.field}: ${error.message}`);

test('2.3 validation errors have the texts of custom resources', () => {
  const cases: [spec: unknown, texts: string[]][] = [
    [{}, []],
    [undefined, ['spec: Required value']],
    [{ size: 'x' }, ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"']],
    [{ size: 1.5 }, ['spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"']],
    [{ size: null }, ['spec.size: Invalid value: "null": spec.size in body must be of type integer: "null"']],
    [{ weight: 2 }, []],
    [{ size: 0 }, ['spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1']],
    [{ size: 10 }, ['spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9']],
    [{ mode: 'Slow' }, ['spec.mode: Unsupported value: "Slow": supported values: "Fast", "Safe"']],
    [{ code: 'a' }, ['spec.code: Invalid value: "a": spec.code in body should be at least 2 chars long']],
    [{ code: 'abcde' }, ['spec.code: Too long: may not be more than 4 bytes']],
    [{ code: 'A1' }, ['spec.code: Invalid value: "A1": spec.code in body should match \'^[a-z]+$\'']],
    [{ port: 80 }, []],
    [{ port: 'http' }, []],
    [{ port: true }, ['spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"']],
    [
      { at: '2026-02-29T00:00:00Z' },
      ['spec.at: Invalid value: "2026-02-29T00:00:00Z": spec.at in body must be of type date-time: "2026-02-29T00:00:00Z"'],
    ],
    [{ at: '2024-02-29T00:00:00.5+01:00' }, []],
    [{ data: 'a' }, ['spec.data: Invalid value: "a": spec.data in body must be of type byte: "a"']],
    [{ note: null }, []],
    [{ tags: [] }, ['spec.tags: Invalid value: 0: spec.tags in body should have at least 1 items']],
    [{ tags: ['a', 'b', 'c', 'd'] }, ['spec.tags: Too many: 4: must have at most 3 items']],
    [{ tags: ['a', 'b', 'a'] }, ['spec.tags[2]: Duplicate value: "a"']],
    [{ tags: [1] }, ['spec.tags[0]: Invalid value: "integer": spec.tags[0] in body must be of type string: "integer"']],
    [{ parts: [{ name: 'a' }, { name: 'a', count: 2 }] }, ['spec.parts[1]: Duplicate value: {"name":"a"}']],
    [{ parts: [{}] }, ['spec.parts[0].name: Required value']],
    [{ labels: { a: 1 } }, ['spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"']],
    [{ labels: { a: '', b: '', c: '' } }, ['spec.labels: Too many: 3: must have at most 2 items']],
    [{ free: { x: [null] } }, []],
    [{ free: [] }, ['spec.free: Invalid value: "array": spec.free in body must be of type object: "array"']],
    [{ template: { kind: 'A' } }, ['spec.template.apiVersion: Required value: must not be empty']],
    ['x', ['spec: Invalid value: "string": spec in body must be of type object: "string"']],
  ];
  for (const [spec, expected] of cases) assert.deepEqual(texts(spec), expected, JSON.stringify(spec));
});

test('3.1 metadata of the wrong type is an error, a null creationTimestamp is not', () => {
  const meta = { name: 'w', creationTimestamp: null, labels: { a: 1 } };
  assert.deepEqual(
    validateSchema(object({}, { metadata: meta }), schema, '').map((error) => error.field),
    ['metadata.labels.a'],
  );
});

test('2.4 pruning removes unknown fields and says where they were', () => {
  const given = object(
    {
      size: 1,
      siez: 2,
      parts: [{ name: 'a', x: 1 }],
      labels: { anything: 'goes' },
      free: { a: { b: null } },
      template: { apiVersion: 'v1', kind: 'A', metadata: { name: 'x', nam: 1 }, spec: { any: 1 } },
      __proto__x: 1,
    },
    { metadata: { name: 'w', finalizer: [], labels: null }, extra: true },
  );
  assert.deepEqual(prune(given, schema), [
    'metadata.finalizer',
    'spec.siez',
    'spec.parts[0].x',
    'spec.template.metadata.nam',
    'spec.__proto__x',
    'extra',
  ]);
  assert.deepEqual(given, {
    apiVersion: 'demo.example.com/v1',
    kind: 'Widget',
    metadata: { name: 'w' },
    spec: {
      size: 1,
      parts: [{ name: 'a' }],
      labels: { anything: 'goes' },
      free: { a: { b: null } },
      template: { apiVersion: 'v1', kind: 'A', metadata: { name: 'x' }, spec: { any: 1 } },
    },
  });
});

test('fields named like inherited properties are unknown fields', () => {
  const given = object(JSON.parse('{"constructor":1,"__proto__":{"x":1},"hasOwnProperty":2}'));
  assert.deepEqual(prune(given, schema), ['spec.constructor', 'spec.__proto__', 'spec.hasOwnProperty']);
});

test('pruning is idempotent and what is left has only known fields', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('size', 'tags', 'parts', 'x', 'free'), fc.jsonValue()), (spec) => {
      const given = object(cloneJson(spec)) as JsonObject;
      prune(given, schema);
      const once = cloneJson(given);
      assert.deepEqual(prune(given, schema), []);
      assert.deepEqual(given, once);
    }),
  );
});

test('defaults fill what is absent, below objects that exist', () => {
  const given = object({ parts: [{ name: 'a' }, { name: 'b', count: 5 }], mode: null });
  applyDefaults(given, schema);
  assert.deepEqual(given['spec'], {
    parts: [
      { name: 'a', count: 1 },
      { name: 'b', count: 5 },
    ],
    mode: 'Safe',
    retry: { limit: 3 },
  });
  const second = object({});
  applyDefaults(second, schema);
  (second['spec'] as { retry: { limit: number } }).retry.limit = 9;
  const third = object({});
  applyDefaults(third, schema);
  assert.deepEqual((third['spec'] as JsonObject)['retry'], { limit: 3 });
});

test('3.1 a null of a field that has no use for one counts as absent', () => {
  const given = object({ size: null, mode: null, note: null, labels: { a: null }, tags: [null], free: { x: null }, template: null });
  assert.deepEqual(prune(given, schema), [], 'silently');
  // What has a default gets it instead; items are no fields.
  assert.deepEqual(given['spec'], { mode: null, note: null, labels: {}, tags: [null], free: { x: null } });
});

test('a nullable field keeps its null', () => {
  const nullable: StructuralSchema = { type: 'object', properties: { a: { type: 'string', nullable: true, default: 'x' } } };
  const given = { a: null };
  applyDefaults(given, nullable);
  assert.deepEqual(given, { a: null });
});

test('core kinds drop nulls at any depth', () => {
  const given = { a: null, b: { c: null, d: [{ e: null, f: 1 }] } };
  dropNulls(given);
  assert.deepEqual(given, { b: { d: [{ f: 1 }] } });
});

test('2.4 strict decoding texts', () => {
  const messages = strictDecodingMessages({ unknown: ['spec.a', 'spec.b'], duplicates: ['spec.c'] });
  assert.deepEqual(messages, ['duplicate field "spec.c"', 'unknown field "spec.a"', 'unknown field "spec.b"']);
  assert.equal(
    strictDecodingText(messages),
    'strict decoding error: duplicate field "spec.c", unknown field "spec.a", unknown field "spec.b"',
  );
});
