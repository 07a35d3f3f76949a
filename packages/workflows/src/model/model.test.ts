import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkflowSpec } from '@arc/api/argo';
import { resolveInputs, resolveWorkflowArguments } from './arguments.ts';
import { argoDuration } from './go-duration.ts';
import { mergeWorkflowSpec } from './merge-spec.ts';
import { dropNulls, shapeFaults } from './shape.ts';
import { workflowSpecShape } from './workflow-shape.ts';
import { displayNameOf, fnv32a, nodeIdOf, podNameOf } from './node-names.ts';

test('FNV-1a has its published values', () => {
  assert.deepEqual(['', 'a', 'foobar'].map(fnv32a), [0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});

test('ids, pod names and display names (1.9)', () => {
  assert.equal(nodeIdOf('wf', 'wf'), 'wf');
  assert.equal(podNameOf('wf', 'pull', 'wf'), 'wf');
  assert.equal(podNameOf('wf', 'pull', 'wf[0].a'), `wf-pull-${fnv32a('wf[0].a')}`);
  assert.ok(podNameOf('w'.repeat(63), 't'.repeat(300), 'x').length <= 253);
  assert.deepEqual(
    [
      displayNameOf('wf[0]', 'wf'),
      displayNameOf('wf[0].a', 'wf'),
      displayNameOf('wf[0].a(1)', 'wf'),
      displayNameOf('wf.onExit', 'wf'),
      displayNameOf('wf', undefined),
    ],
    ['[0]', 'a', 'a(1)', 'onExit', 'wf'],
  );
});

test('a Workflow merges over its template: lists with keys by entry, others as a whole (1.2)', () => {
  const template: WorkflowSpec = {
    entrypoint: 'main',
    suspend: true,
    serviceAccountName: 'low',
    volumes: [
      { name: 'cache', emptyDir: {} },
      { name: 'src', emptyDir: {} },
    ],
    volumeClaimTemplates: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
    arguments: { parameters: [{ name: 'x', value: 'low', enum: ['low', 'high'] }, { name: 'y', default: 'kept' }, { name: 'z' }] },
    templates: [{ name: 'main', container: { image: 'i' } }],
  };
  const merged = mergeWorkflowSpec(
    {
      serviceAccountName: 'high',
      volumes: [
        { name: 'src', secret: { secretName: 's' } },
        { name: 'new', emptyDir: {} },
      ],
      volumeClaimTemplates: [{ metadata: { name: 'c' } }],
      arguments: { parameters: [{ name: 'x', value: 'high' }, { name: 'y' }, { name: 'extra', value: '1' }] },
    },
    template,
  );
  assert.deepEqual(merged, {
    entrypoint: 'main',
    serviceAccountName: 'high',
    volumes: [
      { name: 'cache', emptyDir: {} },
      { name: 'src', secret: { secretName: 's' } },
      { name: 'new', emptyDir: {} },
    ],
    volumeClaimTemplates: [{ metadata: { name: 'c' } }],
    arguments: {
      parameters: [
        { name: 'x', value: 'high', enum: ['low', 'high'] },
        { name: 'y', default: 'kept' },
        { name: 'z' },
        { name: 'extra', value: '1' },
      ],
    },
    templates: [{ name: 'main', container: { image: 'i' } }],
  });
  assert.equal(template.suspend, true, 'the template is not changed');
});

test('inputs: a passed value wins over the template’s, numbers become text, nothing at all is an error (1.3)', () => {
  const inputs = {
    parameters: [
      { name: 'a', value: 'own' },
      { name: 'b', default: 2 },
      { name: 'c', value: true },
    ],
  };
  assert.deepEqual(
    resolveInputs(inputs, {
      parameters: [
        { name: 'a', value: 7 },
        { name: 'unknown', value: 'x' },
      ],
    }),
    [
      { name: 'a', value: '7' },
      { name: 'b', value: '2' },
      { name: 'c', value: 'true' },
    ],
  );
  assert.deepEqual(resolveInputs(inputs, { parameters: [{ name: 'a', value: '' }] })[0], { name: 'a', value: '' });
  assert.throws(() => resolveInputs({ parameters: [{ name: 'x' }] }, undefined), { message: 'inputs.parameters.x had no value' });
});

test('workflow arguments: the last of a name wins, an enum holds, a missing value is an error', () => {
  assert.deepEqual(
    resolveWorkflowArguments({
      parameters: [
        { name: 'a', value: '1' },
        { name: 'a', value: '2' },
      ],
    }),
    [{ name: 'a', value: '2' }],
  );
  assert.throws(() => resolveWorkflowArguments({ parameters: [{ name: 'a' }] }), /value or valueFrom is required/);
  assert.throws(() => resolveWorkflowArguments({ parameters: [{ name: 'a', value: 'x', enum: ['y', 'z'] }] }), /must be one of y, z/);
  assert.throws(() => resolveWorkflowArguments({ parameters: [{ name: 'a', value: 'x', enum: [] }] }), /enum must not be empty/);
});

test('durations without a unit are seconds (1.7)', () => {
  assert.deepEqual([argoDuration('10', 'f'), argoDuration(2, 'f'), argoDuration('1m30s', 'f')], [10_000, 2000, 90_000]);
  assert.throws(() => argoDuration('soon', 'template x timeout'), /template x timeout: "soon" is not a duration/);
});

test('a spec of the wrong form is described field by field; null is absent', () => {
  const faults = shapeFaults(
    {
      entrypoint: 1,
      templates: [{ steps: [{ name: 'a' }] }, null, { name: 'x', script: { image: 'i' } }],
      arguments: { parameters: [{ name: 'a', value: 1 }, { value: {} }] },
      volumes: null,
    },
    workflowSpecShape,
    'spec',
  );
  assert.deepEqual(
    faults.map((fault) => `${fault.field} ${fault.reason}`),
    [
      'spec.entrypoint must be a string, not a number',
      'spec.templates[0].name is required',
      'spec.templates[0].steps[0] must be a list, not an object',
      'spec.templates[1] must be an object, not null',
      'spec.templates[2].script.source is required',
      'spec.arguments.parameters[1].name is required',
      'spec.arguments.parameters[1].value must be a string, number or boolean, not an object',
    ],
  );
});

test('nulls are dropped, and a value without them stays the same object', () => {
  const plain = { a: [{ b: 1 }] };
  assert.equal(dropNulls(plain), plain);
  assert.deepEqual(dropNulls({ a: null, b: [{ c: null, d: 'x' }] }), { b: [{ d: 'x' }] });
});
