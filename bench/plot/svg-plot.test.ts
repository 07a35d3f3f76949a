import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { scaleFor } from './scale.ts';
import { svgPlot } from './svg-plot.ts';

const positive = fc.array(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 20 });

test('a scale keeps order, and every value is between its ends', () => {
  fc.assert(
    fc.property(positive, fc.constantFrom('linear' as const, 'log' as const), (values, kind) => {
      const scale = scaleFor(values, { kind, from: 100, to: 500 });
      const positions = values.toSorted((a, b) => a - b).map((value) => scale.position(value));
      assert.ok(positions.every((at) => at >= 100 - 1e-6 && at <= 500 + 1e-6));
      assert.ok(positions.every((at, index) => index === 0 || at >= (positions[index - 1] ?? 0) - 1e-9));
      assert.ok(scale.ticks.length >= 2 && scale.ticks.length <= 16, `${scale.ticks.length} ticks`);
    }),
  );
});

test('ticks are round numbers', () => {
  assert.deepEqual(scaleFor([3, 930], { kind: 'linear', from: 0, to: 1 }).ticks, [0, 200, 400, 600, 800, 1000]);
  assert.deepEqual(scaleFor([1, 200], { kind: 'log', from: 0, to: 1 }).ticks, [1, 10, 100, 1000]);
  assert.deepEqual(scaleFor([20, 90], { kind: 'log', from: 0, to: 1 }).ticks, [20, 50, 100]);
});

test('ticks at the values, where they are wanted: each once, in order, and the axis ends with them', () => {
  const scale = scaleFor([200, 1, 50, 50], { kind: 'log', from: 0, to: 10, ticksAtValues: true });
  assert.deepEqual(scale.ticks, [1, 50, 200]);
  assert.deepEqual([scale.position(1), scale.position(200)], [0, 10]);
  assert.deepEqual(scaleFor([7, 7], { kind: 'log', from: 0, to: 1, ticksAtValues: true }).ticks, [5, 10]);
});

test('a series that tells more of another has its color', () => {
  const points = [
    { x: 1, y: 1 },
    { x: 2, y: 2 },
  ];
  const series = [
    { name: 'P50', points },
    { name: 'P99', points, colorOf: 'P50' },
    { name: 'other', points },
  ];
  const svg = svgPlot({ title: '', x: { label: '', scale: 'log' }, y: { label: '', scale: 'log' }, series });
  const [first, second, third] = [...svg.matchAll(/<g stroke="([^"]+)"/g)].map(([, color]) => color);
  assert.equal(first, second);
  assert.notEqual(first, third);
});

test('a plot has a line and a name in the legend for each series, and escapes what it is given', () => {
  const svg = svgPlot({
    title: 'a < b & "c"',
    x: { label: 'objects', scale: 'log' },
    y: { label: 'ms', scale: 'linear' },
    series: [
      {
        name: 'one',
        points: [
          { x: 1, y: 5, spread: [4, 6] },
          { x: 100, y: 7 },
        ],
      },
      {
        name: '<two>',
        points: [
          { x: 1, y: 1 },
          { x: 100, y: 2 },
        ],
        reference: true,
      },
    ],
  });
  assert.equal(svg.match(/<polyline/g)?.length, 2);
  assert.equal(svg.match(/<circle/g)?.length, 4);
  assert.match(svg, /a &lt; b &amp; &quot;c&quot;/);
  assert.match(svg, />&lt;two&gt;</);
  assert.doesNotMatch(svg, /NaN|undefined/);
});
