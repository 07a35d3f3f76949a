import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { indentJson } from './indent-json.ts';

test('indents as JSON.stringify does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(indentJson(JSON.stringify(value)), JSON.stringify(value, null, 2));
    }),
  );
});

test('numbers stay digit for digit', () => {
  assert.equal(indentJson('{"n":9007199254740993,"e":1E+2}'), '{\n  "n": 9007199254740993,\n  "e": 1E+2\n}');
});
