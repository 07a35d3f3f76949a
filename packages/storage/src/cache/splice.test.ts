import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { spliceRevision } from './splice.ts';

function splice(json: string, revision = 42): { readonly json: string; readonly metadata: string } | undefined {
  const spliced = spliceRevision(Buffer.from(json), revision);
  if (spliced === undefined) return undefined;
  const { bytes, metadataStart, metadataEnd } = spliced;
  assert.equal(bytes.byteLength, bytes.buffer.byteLength, 'exactly as long as its buffer');
  return { json: Buffer.from(bytes).toString(), metadata: Buffer.from(bytes.subarray(metadataStart, metadataEnd)).toString() };
}

const rv = '"resourceVersion":"42"';

test('the revision is put first into metadata and all else stays', () => {
  for (const [stored, served, metadata] of [
    [
      '{"apiVersion":"v1","kind":"A","metadata":{"name":"x"},"spec":{}}',
      `{"apiVersion":"v1","kind":"A","metadata":{${rv},"name":"x"},"spec":{}}`,
      `{${rv},"name":"x"}`,
    ],
    ['{"metadata":{}}', `{"metadata":{${rv}}}`, `{${rv}}`],
    ['{"metadata":{ \n}}', `{"metadata":{${rv}}}`, `{${rv}}`],
    [
      ' { "spec" : { "metadata" : { "a" : 1 } } ,\t"metadata" :\n{ "name" : "x" } } ',
      ` { "spec" : { "metadata" : { "a" : 1 } } ,\t"metadata" :\n{${rv}, "name" : "x" } } `,
      `{${rv}, "name" : "x" }`,
    ],
    [
      String.raw`{"kind":"\"metadata\":{","a":["\\",{"metadata":{}}],"metadata":{"name":"}\\\"{"}}`,
      String.raw`{"kind":"\"metadata\":{","a":["\\",{"metadata":{}}],"metadata":{${rv},"name":"}\\\"{"}}`,
      String.raw`{${rv},"name":"}\\\"{"}`,
    ],
    [String.raw`{"metad\u0061ta":{"name":"é"}}`, String.raw`{"metad\u0061ta":{${rv},"name":"é"}}`, `{${rv},"name":"é"}`],
  ] as const) {
    assert.deepEqual(splice(stored), { json: served, metadata }, stored);
  }
});

test('a resourceVersion that is there already is dropped, and only that of metadata itself', () => {
  for (const [stored, served] of [
    ['{"metadata":{"resourceVersion":"7"}}', `{"metadata":{${rv}}}`],
    ['{"metadata":{"resourceVersion":"7","name":"x"}}', `{"metadata":{${rv},"name":"x"}}`],
    ['{"metadata":{"name":"x","resourceVersion":"7"}}', `{"metadata":{${rv},"name":"x"}}`],
    ['{"metadata":{"name":"x", "resourceVersion" : "7" , "uid":"u"}}', `{"metadata":{${rv},"name":"x","uid":"u"}}`],
    [String.raw`{"metadata":{"resource\u0056ersion":null,"name":"x","resourceVersion":"7"}}`, `{"metadata":{${rv},"name":"x"}}`],
    [
      '{"metadata":{"annotations":{"resourceVersion":"7"},"resourceVersions":"8"}}',
      `{"metadata":{${rv},"annotations":{"resourceVersion":"7"},"resourceVersions":"8"}}`,
    ],
  ] as const) {
    assert.equal(splice(stored)?.json, served, stored);
  }
});

test('what has no metadata object is refused', () => {
  for (const text of [
    '',
    ' ',
    'null',
    '[]',
    '"metadata"',
    '{}',
    '{"metadata":null}',
    '{"metadata":[]}',
    '{"spec":{"metadata":{}}}',
    '{"metadata":{',
  ]) {
    assert.equal(splice(text), undefined, text);
  }
});

test('a splice changes nothing but the resourceVersion', () => {
  const metadata = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('name', 'resourceVersion', 'labels')), fc.jsonValue());
  const object = fc.dictionary(fc.string(), fc.jsonValue()).chain((rest) =>
    fc
      .tuple(
        metadata,
        fc.shuffledSubarray(Object.keys(rest), { minLength: Object.keys(rest).length }),
        fc.nat({ max: 5 }),
        fc.constantFrom(0, 1, '\t'),
      )
      .map(([own, order, at, indent]) => {
        const entries: [string, unknown][] = order.filter((key) => key !== 'metadata').map((key) => [key, rest[key]]);
        entries.splice(at, 0, ['metadata', own]);
        return JSON.stringify(Object.fromEntries(entries), undefined, indent);
      }),
  );
  fc.assert(
    fc.property(object, fc.nat(), (json, revision) => {
      const served = splice(json, revision);
      const expected = JSON.parse(json) as { metadata: Record<string, unknown> };
      delete expected.metadata['resourceVersion'];
      const wanted = { ...expected, metadata: { ...expected.metadata, resourceVersion: String(revision) } };
      assert.deepEqual(JSON.parse(served?.json ?? ''), wanted);
      assert.deepEqual(JSON.parse(served?.metadata ?? ''), wanted.metadata);
      const again = splice(served?.json ?? '', revision);
      assert.deepEqual(JSON.parse(again?.json ?? ''), wanted);
    }),
  );
});

test('text that is not JSON never hangs or throws', () => {
  const noise = fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', ' ', 'a', '"metadata":{'), maxLength: 30 });
  fc.assert(fc.property(noise, (text) => void spliceRevision(Buffer.from(`{"metadata":{${text}`), 1)));
});
