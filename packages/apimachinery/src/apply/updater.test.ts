import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { deepEqual, isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { s } from '../schema/builder.ts';
import { applyTypeOf, isEmptyValue } from './apply-type.ts';
import { everyPathOf } from './field-set-of.ts';
import { encodeFieldsV1 } from './fields-v1.ts';
import { hasPath, isEmptySet, pathsOf } from './field-set.ts';
import { decodeManagedFields, encodeManagedFields } from './managers.ts';
import type { ManagerIdentity, Managers } from './managers.ts';
import { mergeValues } from './merge-values.ts';
import { printPath } from './path-element.ts';
import { applyConfig, updateManagers } from './updater.ts';

const item = s.object({ name: s.string(), v: s.optional(s.integer()), m: s.optional(s.map(s.integer())) });
const type = applyTypeOf(
  s.object({
    spec: s.optional(
      s.object({
        a1: s.optional(s.integer()),
        a2: s.optional(s.string()),
        b1: s.optional(s.integer()),
        b2: s.optional(s.object({ x: s.integer() }, { 'x-kubernetes-map-type': 'atomic' })),
        map: s.optional(s.map(s.integer())),
        set: s.optional(s.array(s.string(), { 'x-kubernetes-list-type': 'set' })),
        items: s.optional(s.listMap(item, ['name'])),
        list: s.optional(s.array(s.integer())),
        free: s.optional(s.freeForm()),
      }),
    ),
  }),
);

/** Configurations that only speak of things whose names begin with one of the prefixes. */
function configs(prefixes: readonly string[]): fc.Arbitrary<JsonObject> {
  const names = prefixes.flatMap((prefix) => [`${prefix}1`, `${prefix}2`]);
  const small = fc.integer({ min: 0, max: 2 });
  const name = fc.constantFrom(...names);
  const map = fc.dictionary(name, small, { maxKeys: 3, noNullPrototype: true });
  const free = fc.dictionary(name, fc.oneof(small, map, fc.array(small, { maxLength: 2 })), { maxKeys: 3, noNullPrototype: true });
  const items = fc.uniqueArray(fc.record({ name, v: small, m: map }, { requiredKeys: ['name'], noNullPrototype: true }), {
    selector: (one) => one.name,
    maxLength: 3,
  });
  const own: Record<string, fc.Arbitrary<unknown>> = { map, set: fc.uniqueArray(name, { maxLength: 3 }), items, free };
  if (prefixes.includes('a')) Object.assign(own, { a1: small, a2: fc.constantFrom('x', 'y'), list: fc.array(small, { maxLength: 2 }) });
  if (prefixes.includes('b')) Object.assign(own, { b1: small, b2: fc.record({ x: small }, { noNullPrototype: true }) });
  const spec = fc.record(own, { requiredKeys: [], noNullPrototype: true });
  return fc.record({ spec }, { requiredKeys: [], noNullPrototype: true });
}

interface State {
  readonly object: JsonObject;
  readonly managers: Managers;
}

const nothing: State = { object: {}, managers: new Map() };
const applier = (manager: string): ManagerIdentity => ({ manager, operation: 'Apply', apiVersion: 'g/v1', subresource: '' });
const options = {
  version: (apiVersion: string) => (apiVersion === 'g/v1' ? { type, convert: (object: JsonObject) => object } : undefined),
  tracked: <T>(set: T): T => set,
};

function applied(state: State, manager: string, config: JsonObject, { force = false, now = 't0' } = {}): State | undefined {
  const { object, managers } = state;
  const result = applyConfig(object, config, { ...options, now, identity: applier(manager), managers, force });
  return 'conflicts' in result ? undefined : result;
}

function forced(state: State, manager: string, config: JsonObject, now = 't0'): State {
  return applied(state, manager, config, { force: true, now }) ?? assert.fail('a forced apply never conflicts');
}

/** The object with the lists whose order does not count in one order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(ordered);
    const sortable = items.every((one) => typeof one === 'string' || (isObject(one) && 'name' in one));
    return sortable ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, ordered(below)]));
}

const owned = ({ managers }: State): unknown => encodeManagedFields(managers);
const any = configs(['a', 'b']);

test('5.2 applying again changes nothing, not even a time', () => {
  fc.assert(
    fc.property(any, any, any, (first, other, config) => {
      const start = forced(forced(nothing, 'x', first), 'y', other);
      const once = forced(start, 'x', config, 't1');
      const again = forced(once, 'x', structuredClone(config), 't2');
      assert.ok(deepEqual(again.object, once.object));
      assert.deepEqual(owned(again), owned(once));
    }),
  );
});

test('5.2 disjoint configurations give the same in either order', () => {
  fc.assert(
    fc.property(configs(['a']), configs(['b']), (a, b) => {
      const one = applied(applied(nothing, 'x', a) ?? assert.fail(), 'y', b) ?? assert.fail('disjoint, but in conflict');
      const other = applied(applied(nothing, 'y', b) ?? assert.fail(), 'x', a) ?? assert.fail('disjoint, but in conflict');
      assert.deepEqual(ordered(one.object), ordered(other.object));
      assert.deepEqual(owned(one), owned(other));
    }),
  );
});

test('5.2 what a manager no longer applies is gone, unless another one has it', () => {
  fc.assert(
    fc.property(any, any, (before, after) => {
      const { object } = forced(forced(nothing, 'x', before), 'x', after);
      assert.deepEqual(ordered(object), ordered(after));
    }),
  );
  fc.assert(
    fc.property(any, any, any, (a, b, c) => {
      const shared = forced(forced(nothing, 'x', a), 'y', b);
      const left = forced(shared, 'x', c);
      const alone = forced(forced(nothing, 'y', b), 'x', c);
      // What x took from y by force and then left behind is gone for both.
      const { managers } = shared;
      const kept = [...managers.values()].find(({ manager }) => manager === 'y');
      if (deepEqual(owned({ ...nothing, managers: new Map(kept && [['y', kept]]) }), owned(forced(nothing, 'y', b)))) {
        assert.deepEqual(ordered(left.object), ordered(alone.object));
      }
      assert.deepEqual(forced(forced(left, 'x', {}), 'y', {}).object, {});
    }),
  );
});

/** Leaves of an object by an independent reading of the schema above. */
function leaves(value: unknown, path: string, found = new Map<string, string>()): Map<string, string> {
  const atomic = /^\/spec\/(?:b2|list)$|^\/spec\/free\//.test(path) && !(isObject(value) && path.startsWith('/spec/free/'));
  if (!atomic && isEmptyValue(value)) {
    found.set(`${path}/`, 'empty');
  } else if (!atomic && Array.isArray(value)) {
    for (const one of value) leaves(one, `${path}/${isObject(one) ? String(one['name']) : String(one)}`, found);
  } else if (!atomic && isObject(value)) {
    for (const [key, below] of Object.entries(value)) leaves(below, `${path}/${key}`, found);
  } else {
    found.set(path, JSON.stringify(value));
  }
  return found;
}

test('5.2 step 5: a conflict, exactly when another manager has the field with another value', () => {
  fc.assert(
    fc.property(any, any, (a, b) => {
      const mine = leaves(b, '');
      const theirs = leaves(a, '');
      const shapes =
        [...mine.keys()].some((path) => [...theirs.keys()].some((other) => path !== other && `${path}/`.startsWith(`${other}/`))) ||
        [...theirs.keys()].some((path) => [...mine.keys()].some((other) => path !== other && `${path}/`.startsWith(`${other}/`)));
      fc.pre(!shapes);
      const wanted = [...mine].some(([path, value]) => theirs.has(path) && theirs.get(path) !== value);
      const result = applied(forced(nothing, 'x', a), 'y', b);
      assert.equal(result === undefined, wanted);
    }),
  );
});

test('5.2 after force nobody else owns what changed, and shared fields have one value', () => {
  fc.assert(
    fc.property(any, any, (a, b) => {
      const { managers, object } = forced(forced(nothing, 'x', a), 'y', b);
      assert.deepEqual(ordered(forced(nothing, 'z', object).object), ordered(object));
      const again = applied({ managers, object }, 'x2', object);
      assert.ok(again !== undefined, 'applying what is there conflicts with nobody');
    }),
  );
});

test('5.2 an update owns alone what it changes, and nobody owns what it removes', () => {
  fc.assert(
    fc.property(any, any, (a, next) => {
      const start = forced(nothing, 'x', a);
      const identity: ManagerIdentity = { ...applier('u'), operation: 'Update' };
      const managers = updateManagers(start.object, next, { ...options, now: 't1', identity, managers: start.managers });
      const mine = [...managers.values()].find(({ manager }) => manager === 'u');
      const theirs = [...managers.values()].find(({ manager }) => manager === 'x');
      if (deepEqual(start.object, next)) assert.equal(mine, undefined);
      for (const path of mine === undefined ? [] : pathsOf(mine.set)) assert.ok(theirs === undefined || !hasPath(theirs.set, path));
      const everything = [...managers.values()].flatMap(({ set }) => pathsOf(set));
      const present = applyConfig({}, next, { ...options, now: 't', identity: applier('all'), managers: new Map(), force: true });
      assert.ok('managers' in present);
      const all = updateManagers({}, next, { ...options, now: 't', identity, managers: new Map() });
      for (const path of everything)
        assert.ok(
          [...all.values()].some(({ set }) => hasPath(set, path)),
          JSON.stringify(path),
        );
    }),
  );
});

test('5.2 through any history, managers own only what is there, and the last applied configuration is', () => {
  const step = fc.record({ manager: fc.constantFrom('x', 'y', 'z'), how: fc.constantFrom('apply', 'force', 'update'), config: any });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      let state = nothing;
      for (const [at, { manager, how, config }] of steps.entries()) {
        const now = `t${at}`;
        if (how === 'update') {
          const identity: ManagerIdentity = { ...applier(manager), operation: 'Update' };
          const managers = updateManagers(state.object, config, { ...options, now, identity, managers: state.managers });
          state = { object: config, managers };
        } else {
          state = applied(state, manager, config, { force: how === 'force', now }) ?? state;
        }
        const stored = JSON.parse(JSON.stringify(encodeManagedFields(state.managers))) as unknown;
        assert.deepEqual(encodeManagedFields(decodeManagedFields(stored) ?? assert.fail()), stored);
        const there = everyPathOf(state.object, type);
        for (const { set } of state.managers.values()) {
          for (const path of pathsOf(set)) assert.ok(hasPath(there, path), `${printPath(path)} is owned and not there`);
        }
      }
      const last = steps.at(-1);
      if (last?.how !== 'force') return;
      const merged = mergeValues(state.object, last.config, type);
      assert.deepEqual(ordered(merged), ordered(state.object));
    }),
  );
});

test('5.2 managers of a version that is no longer served are forgotten', () => {
  const start = forced(nothing, 'x', { spec: { a1: 1 } });
  const [manager] = start.managers.values();
  assert.ok(manager !== undefined && !isEmptySet(manager.set));
  const old = new Map([['old', { ...manager, manager: 'old', apiVersion: 'g/v0' }]]);
  const after = applied({ object: start.object, managers: old }, 'y', { spec: { a1: 2 } }) ?? assert.fail();
  assert.deepEqual(
    [...after.managers.values()].map(({ manager: name }) => name),
    ['y'],
  );
});

test('5.2 several versions: sets are compared in their own version', () => {
  const renamed = applyTypeOf(s.object({ spec: s.optional(s.object({ renamed: s.optional(s.integer()) })) }));
  const convert =
    (to: string, from: string) =>
    (object: JsonObject): JsonObject => {
      const spec = object['spec'] as JsonObject | undefined;
      if (spec === undefined || !(from in spec)) return object;
      const { [from]: value, ...rest } = spec;
      return { ...object, spec: { ...rest, [to]: value } };
    };
  const versions = new Map([
    ['g/v1', { type, convert: convert('a1', 'renamed') }],
    ['g/v2', { type: renamed, convert: convert('renamed', 'a1') }],
  ]);
  const multi = { ...options, version: (apiVersion: string) => versions.get(apiVersion), now: 't' };
  const v2: ManagerIdentity = { ...applier('x'), apiVersion: 'g/v2' };
  const first = applyConfig({}, { spec: { renamed: 1 } }, { ...multi, identity: v2, managers: new Map(), force: false });
  assert.ok('managers' in first);
  const live = convert('a1', 'renamed')(first.object);
  const conflict = applyConfig(live, { spec: { a1: 2 } }, { ...multi, identity: applier('y'), managers: first.managers, force: false });
  assert.ok('conflicts' in conflict);
  assert.deepEqual(conflict.conflicts[0].path, ['f:spec', 'f:renamed']);
  const moved = applyConfig(live, {}, { ...multi, identity: applier('x'), managers: first.managers, force: false });
  assert.ok('managers' in moved);
  assert.deepEqual(moved.object, {});
  assert.deepEqual(encodeFieldsV1([...first.managers.values()][0]?.set ?? assert.fail()), { 'f:spec': { 'f:renamed': {} } });
});
