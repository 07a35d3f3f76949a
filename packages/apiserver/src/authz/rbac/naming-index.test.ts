import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NamingIndex } from './naming-index.ts';
import type { Binding } from './policy.ts';
import type { Subject } from './subject.ts';

const name = fc.constantFrom('ann', 'ops', 'bot', 'system:serviceaccount:a:bot');
const namespace = fc.constantFrom('', 'a', 'b');
const subject = fc.record(
  { kind: fc.constantFrom('User', 'Group', 'ServiceAccount', 'Robot'), name, namespace },
  { requiredKeys: ['kind', 'name'] },
);
const binding = fc.record({
  namespace,
  name,
  subjects: fc.array(subject, { maxLength: 4 }),
  roleRef: fc.constant({ kind: 'ClusterRole', name: 'view' }),
});
const user = fc.record({ name, groups: fc.array(name, { maxLength: 3 }) });

/** Wire contract 6.3, subject by subject. */
function isNamed({ kind, name, namespace = '' }: Subject, user: { name: string; groups: readonly string[] }, home: string): boolean {
  if (kind === 'User') return user.name === name;
  if (kind === 'Group') return user.groups.includes(name);
  const account = namespace === '' ? home : namespace;
  return kind === 'ServiceAccount' && account !== '' && user.name === `system:serviceaccount:${account}:${name}`;
}

test('6.3 an index finds the bindings that looking at every subject of every binding finds, in their order', () => {
  fc.assert(
    fc.property(fc.array(binding, { maxLength: 12 }), user, fc.nat(12), fc.nat(12), (bindings: readonly Binding[], user, from, to) => {
      const expected = bindings.slice(from, to).flatMap((binding) => {
        const subject = binding.subjects.find((candidate) => isNamed(candidate, user, binding.namespace));
        return subject === undefined ? [] : [{ binding, subject }];
      });
      const found = new NamingIndex(bindings).find(user, { from, to });
      assert.deepEqual(
        found.map(({ binding, subject }) => ({ binding, subject })),
        expected,
      );
    }),
  );
});
