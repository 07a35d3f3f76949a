import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { allowsColor, styleFor } from './color.ts';
import { displayWidth, escapeControls, formatBytes, padEnd, truncate } from './text.ts';

test('bytes print with three digits and never as a thousand of a unit', () => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [1234, '1.23 kB'],
    [9994, '9.99 kB'],
    [9996, '10.0 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [104e9, '104 GB'],
  ] as const) {
    assert.equal(formatBytes(bytes), text);
  }
});

test('width counts what a terminal shows', () => {
  assert.equal(displayWidth('plain'), 5);
  assert.equal(displayWidth('größe'), 5);
  assert.equal(displayWidth('日本'), 4);
  assert.equal(displayWidth('e\u0301'), 1);
  assert.equal(displayWidth('🚀'), 2);
  assert.equal(displayWidth('\u001B[31mred\u001B[39m'), 3);
});

test('cut and padded text has exactly the width asked for', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.integer({ min: 2, max: 20 }), (text, width) => {
      const shown = escapeControls(text);
      const cut = truncate(shown, width);
      assert.ok(displayWidth(cut) <= width);
      assert.equal(displayWidth(padEnd(cut, width)), width);
      if (displayWidth(shown) <= width) assert.equal(cut, shown);
    }),
  );
});

test('control characters become visible', () => {
  assert.equal(escapeControls('a\u001B[2Jb\rc\u009Bd'), 'a^[[2Jb^Mc\\x9bd');
  assert.equal(escapeControls('tab\tand\nline'), 'tab\tand\nline');
});

test('colour follows NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM and the terminal, in this order', () => {
  assert.equal(allowsColor({}, true), true);
  assert.equal(allowsColor({}, false), false);
  assert.equal(allowsColor({ TERM: 'dumb' }, true), false);
  assert.equal(allowsColor({ CLICOLOR: '0' }, true), false);
  assert.equal(allowsColor({ CLICOLOR_FORCE: '1', TERM: 'dumb' }, false), true);
  assert.equal(allowsColor({ CLICOLOR_FORCE: '0' }, false), false);
  assert.equal(allowsColor({ NO_COLOR: '1', CLICOLOR_FORCE: '1' }, true), false);
  assert.equal(allowsColor({ NO_COLOR: '' }, true), true);
});

test('style leaves text alone without colour', () => {
  assert.equal(styleFor({ hasColor: false }).red('x'), 'x');
  assert.equal(styleFor({ hasColor: true }).red('x'), '\u001B[31mx\u001B[39m');
});
