import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { substituteTags, tagsIn } from './simple-tags.ts';

const scope = new Map([
  ['inputs.parameters.a', 'A'],
  ['which', 'a'],
  ['quote', 'he said "x"\n\\'],
  ['again', '{{inputs.parameters.a}}'],
]);

test('known tags are replaced, white space inside the braces does not matter', () => {
  assert.deepEqual(substituteTags({ x: ['1 {{inputs.parameters.a}} {{ which }}'] }, scope), { x: ['1 A a'] });
});

test('unknown and foreign tags are left as they are', () => {
  assert.equal(substituteTags('{{ user.name }} {{steps.x.outputs.result}} {{', scope), '{{ user.name }} {{steps.x.outputs.result}} {{');
});

test('of nested tags the inner goes first', () => {
  assert.equal(substituteTags('{{inputs.parameters.{{which}}}}', scope), 'A');
});

test('values are data: quotes stay text and an inserted tag waits for the next pass', () => {
  assert.equal(substituteTags('{{quote}}|{{again}}', scope), 'he said "x"\n\\|{{inputs.parameters.a}}');
});

test('tagsIn lists what is left', () => {
  assert.deepEqual(tagsIn({ a: 'x {{ item }} {{=1+1}}', b: ['{{workflow.status}}'] }), ['item', '=1+1', 'workflow.status']);
});

test('with an empty scope nothing changes', () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(substituteTags(`{{${text}`, new Map()), `{{${text}`)));
});
