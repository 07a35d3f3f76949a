import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { actualPath, rewritePaths } from './path-table.ts';

const entries = [
  { declared: '/data', actual: '/h/claim' },
  { declared: '/data/cache', actual: '/h/cache' },
  { declared: '/tmp', actual: '/h/tmp' },
];

test('the longest declared prefix says where a path lies', () => {
  assert.equal(actualPath(entries, '/data/x'), '/h/claim/x');
  assert.equal(actualPath(entries, '/data/cache/y'), '/h/cache/y');
  assert.equal(actualPath(entries, '/database'), undefined);
});

test('declared paths are replaced on segment boundaries only', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['/data', '/h/claim'],
    ['cp /data/a /tmp/b', 'cp /h/claim/a /h/tmp/b'],
    ['oci:/data/image:tag', 'oci:/h/claim/image:tag'],
    ['--dir=/data/cache/x', '--dir=/h/cache/x'],
    ['"/data" \'/tmp\'', '"/h/claim" \'/h/tmp\''],
    ['file:///tmp/x', 'file:///h/tmp/x'],
    [
      '/database /data.old /mydata x/data ${ROOT}/data s3://bucket/data ./tmp ../tmp',
      '/database /data.old /mydata x/data ${ROOT}/data s3://bucket/data ./tmp ../tmp',
    ],
    ['https://tmp/data', 'https://tmp/data'],
  ];
  for (const [from, to] of cases) assert.equal(rewritePaths(from, entries), to);
});

test('text without a declared path is never changed', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('/data') && !text.includes('/tmp'));
      assert.equal(rewritePaths(text, entries), text);
    }),
  );
});
