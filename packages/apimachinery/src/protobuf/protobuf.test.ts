import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject } from '../json/object.ts';
import { dropNulls } from '../schema/prune.ts';
import { ApiStatusError } from '../status/api-status-error.ts';
import { decodeProtobuf, protobufDecoderOf } from './decode-protobuf.ts';
import { int, list, map, message, present, string } from './descriptor.ts';
import { isProtobufEnvelope, readProtobufEnvelope } from './envelope.ts';
import { readFields } from './wire-reader.ts';

/** Objects encoded by Kubernetes' own library (k8s.io/api v0.33.1, pods v0.36.2), as protobuf and as JSON. */
const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as { protobuf: string; json: JsonObject }[];

const isBadRequest = (thrown: unknown): boolean => thrown instanceof ApiStatusError && thrown.httpCode === 400;

test('4.4 what Kubernetes encodes as protobuf decodes to its own JSON', () => {
  const kinds = new Set<unknown>();
  for (const { protobuf, json } of golden) {
    dropNulls(json);
    assert.deepEqual(decodeProtobuf(Buffer.from(protobuf, 'base64')), json);
    kinds.add(json['kind']);
  }
  assert.equal(kinds.size, 11);
});

test('4.4 a damaged body is 400, whatever the damage', () => {
  fc.assert(
    fc.property(fc.constantFrom(...golden), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), ({ protobuf }, pick, byte, cut) => {
      const body = Buffer.from(protobuf, 'base64');
      const at = pick % body.length;
      const damaged = cut ? body.subarray(0, at) : Buffer.from(body.with(at, byte));
      try {
        decodeProtobuf(damaged);
      } catch (error) {
        assert.ok(error instanceof ApiStatusError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  for (const bytes of [[], [1, 2, 3], [0x6b, 0x38, 0x73, 0x00, 0x0a, 0x7f], [0x6b, 0x38, 0x73, 0x00, 0x0b]]) {
    assert.throws(() => decodeProtobuf(Uint8Array.from(bytes)), isBadRequest);
  }
});

test('the envelope names the kind; unknown kinds are 415', () => {
  const body = Buffer.from(golden[0]?.protobuf ?? '', 'base64');
  assert.ok(isProtobufEnvelope(body));
  assert.ok(!isProtobufEnvelope(Buffer.from('{"kind":"Secret"}')));
  const { apiVersion, kind } = readProtobufEnvelope(body);
  assert.deepEqual([apiVersion, kind], ['v1', 'Namespace']);
  const other = Buffer.from(body);
  other[other.indexOf('Namespace')] = 'n'.charCodeAt(0);
  assert.throws(
    () => decodeProtobuf(other),
    (thrown) => thrown instanceof ApiStatusError && thrown.httpCode === 415,
  );
  assert.notEqual(protobufDecoderOf('demo.example.com/v1', 'DeleteOptions'), undefined);
  assert.equal(protobufDecoderOf('demo.example.com/v1', 'Secret'), undefined);
});

test('wire types: varint, fixed, length-delimited; others and overlong lengths are refused', () => {
  const fields = [...readFields(Uint8Array.from([0x08, 0x96, 0x01, 0x15, 1, 0, 0, 0, 0x19, 2, 0, 0, 0, 0, 0, 0, 0, 0x22, 1, 0x61]))];
  assert.deepEqual(
    fields.map(({ number, value }) => [number, typeof value === 'bigint' ? value : [...value]]),
    [
      [1, 150n],
      [2, 1n],
      [3, 2n],
      [4, [0x61]],
    ],
  );
  const wrong = [
    [0x0b],
    [0x08],
    [0x08, ...Array<number>(10).fill(0xff), 1],
    [0x0a, 2, 1],
    [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
    [0x00, 1],
    [0x0d, 1],
  ];
  for (const bytes of wrong) assert.throws(() => [...readFields(Uint8Array.from(bytes))], isBadRequest, String(bytes));
});

test('descriptors: zero values, negative numbers, repeated messages, maps with awkward keys, unknown fields', () => {
  const inner = message({ 1: ['a', string], 2: ['b', present(int)] });
  const type = message({ 1: ['inner', inner], 2: ['names', list(string)], 3: ['map', map(string)], 4: ['n', int] });
  assert.deepEqual(type.decode(Uint8Array.from([0x0a, 2, 0x0a, 0, 0x12, 0, 0x20, 0])), { inner: {}, names: [''] });
  assert.deepEqual(type.decode(Uint8Array.from([0x20, ...Array<number>(9).fill(0xff), 1])), { n: -1 });
  assert.deepEqual(type.decode(Uint8Array.from([0x0a, 3, 0x0a, 1, 0x78, 0x0a, 2, 0x10, 0])), { inner: { a: 'x', b: 0 } });
  const proto = [...new TextEncoder().encode('__proto__')];
  const decoded = type.decode(Uint8Array.from([0x1a, 14, 0x0a, 9, ...proto, 0x12, 1, 0x78, 0x1a, 2, 0x12, 0]));
  assert.equal(JSON.stringify(decoded), '{"map":{"__proto__":"x","":""}}');
  assert.deepEqual(type.decode(Uint8Array.from([0x7a, 1, 0x61])), {});
  assert.throws(() => type.decode(Uint8Array.from([0x08, 1])), isBadRequest);
  assert.throws(() => type.decode(Uint8Array.from([0x22, 0])), isBadRequest);
});
