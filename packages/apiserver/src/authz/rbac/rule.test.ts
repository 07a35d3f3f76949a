import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Attributes } from '../authorizer.ts';
import { missingRules, type PolicyRule, printRules, ruleAllows } from './rule.ts';

const request: Attributes = {
  resourceRequest: true,
  verb: 'get',
  namespace: 'ns',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  name: 'a',
  path: '',
};
const rule: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] };

test('6.3 a rule allows its verbs on its resources in its groups, and * is all of them', () => {
  assert.ok(ruleAllows(rule, request));
  for (const other of [{ verb: 'delete' }, { group: 'apps' }, { resource: 'secrets' }])
    assert.ok(!ruleAllows(rule, { ...request, ...other }));
  const all: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  assert.ok(ruleAllows(all, { ...request, verb: 'x', group: 'y', resource: 'z', subresource: 'w' }));
  assert.ok(!ruleAllows({}, request));
});

test('6.3 a resource does not include its subresources; */log is that subresource of all', () => {
  const logs = { ...request, subresource: 'log' };
  assert.ok(!ruleAllows(rule, logs));
  assert.ok(ruleAllows({ ...rule, resources: ['pods/log'] }, logs));
  assert.ok(!ruleAllows({ ...rule, resources: ['pods/log'] }, request));
  assert.ok(ruleAllows({ ...rule, resources: ['*/log'] }, logs));
  assert.ok(!ruleAllows({ ...rule, resources: ['*/log'] }, { ...request, subresource: 'status' }));
});

test('6.3 resourceNames restrict to these names, so requests without a name are not covered', () => {
  const named = { ...rule, resourceNames: ['a', 'b'] };
  assert.ok(ruleAllows(named, request));
  assert.ok(!ruleAllows(named, { ...request, name: 'c' }));
  assert.ok(!ruleAllows(named, { ...request, name: '', verb: 'list' }));
});

test('6.3 nonResourceURLs end in * or are exact, and never allow resource requests', () => {
  const paths: PolicyRule = { verbs: ['get'], nonResourceURLs: ['/healthz', '/apis/*'] };
  const path = (text: string): Attributes => ({ ...request, resourceRequest: false, resource: '', name: '', path: text });
  assert.ok(ruleAllows(paths, path('/healthz')));
  assert.ok(!ruleAllows(paths, path('/healthz/ping')));
  assert.ok(ruleAllows(paths, path('/apis/apps/v1')));
  assert.ok(!ruleAllows(paths, path('/apis')));
  assert.ok(ruleAllows({ verbs: ['*'], nonResourceURLs: ['*'] }, path('/anything')));
  assert.ok(!ruleAllows({ verbs: ['*'], nonResourceURLs: ['*'] }, request));
  assert.ok(!ruleAllows({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, path('/anything')));
});

const some = (...values: string[]): fc.Arbitrary<string[]> => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const anyRule: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({
    verbs: some('get', 'list', '*'),
    apiGroups: some('', 'apps', '*'),
    resources: some('pods', 'pods/log', '*/log', '*'),
    resourceNames: fc.uniqueArray(fc.constantFrom('a', 'b'), { maxLength: 2 }),
  }),
  fc.record({ verbs: some('get', 'put', '*'), nonResourceURLs: some('/a', '/a/*', '/a/b', '*') }),
);
const anyRequest: fc.Arbitrary<Attributes> = fc.oneof(
  fc
    .record({
      verb: fc.constantFrom('get', 'list', 'delete'),
      group: fc.constantFrom('', 'apps', 'batch'),
      resource: fc.constantFrom('pods', 'jobs'),
      subresource: fc.constantFrom('', 'log', 'status'),
      name: fc.constantFrom('', 'a', 'b', 'c'),
    })
    .map((fields) => ({ ...request, ...fields })),
  fc
    .record({ verb: fc.constantFrom('get', 'put', 'post'), path: fc.constantFrom('/a', '/a/b', '/a/b/c', '/b') })
    .map((fields) => ({ ...request, resourceRequest: false, group: '', resource: '', name: '', ...fields })),
);

test('what is covered allows nothing that its owner may not: no escalation by any combination of rules', () => {
  const rules = fc.array(anyRule, { maxLength: 4 });
  fc.assert(
    fc.property(rules, rules, anyRequest, (owned, wanted, attributes) => {
      if (missingRules(owned, wanted).length > 0) return;
      if (wanted.some((one) => ruleAllows(one, attributes))) assert.ok(owned.some((one) => ruleAllows(one, attributes)));
    }),
    { numRuns: 5_000 },
  );
  fc.assert(fc.property(rules, (owned) => assert.deepEqual(missingRules(owned, owned), [])));
});

test('missing rules are printed as Kubernetes prints them', () => {
  const missing = missingRules(
    [rule],
    [
      { verbs: ['get', 'delete', 'watch'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['x'] },
      { verbs: ['get'], nonResourceURLs: ['/metrics'] },
    ],
  );
  assert.equal(
    printRules(missing),
    [
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "watch"]}',
      '{APIGroups:[""], Resources:["secrets"], ResourceNames:["x"], Verbs:["get"]}',
      '{NonResourceURLs:["/metrics"], Verbs:["get"]}',
    ].join('\n'),
  );
});
