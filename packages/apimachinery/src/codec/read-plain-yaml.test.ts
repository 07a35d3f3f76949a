import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeYaml } from './decode-yaml.ts';
import { readPlainYaml } from './read-plain-yaml.ts';

/** As `kubectl config set-cluster` and the like write it. */
const kubectls = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTg==
    server: https://127.0.0.1:6443
  name: arc
- cluster:
    insecure-skip-tls-verify: true
    server: https://[::1]:6443
  name: "2"
contexts:
- context:
    cluster: arc
    namespace: team-a
    user: jane
  name: jane@arc
current-context: jane@arc
kind: Config
preferences: {}
users: null
`;

test('a kubeconfig as kubectl writes it is read', () => {
  const text = kubectls.replace('https://[::1]:6443', '"https://[::1]:6443"');
  assert.deepEqual(readPlainYaml(text), decodeYaml(text).value);
  assert.equal(readPlainYaml(kubectls), undefined, 'brackets are not plain');
});

const awkwardKeys = ['a', 'on', 'y', 'null', '"a"', '1', 'constructor', '__proto__', 'a:b', '- a', '-', 'a b', '?'];
const awkwardIndents = [' ', '\t', '\u00a0', '-  ', '    - ', '- - ', '      '];
const awkwardScalars = [
  ...['', ' x', ' "x y"', ' true', ' no', ' 017', ' 1e3', ' 1_0', ' a:b', ' {}', ' []', ' ~', ' null', ' 12:30', ' https://h:1/p', ' 0x1f'],
  ...[' "x\\n"', ' "x', ' a:', ' a: b', ' x #', ' x#y', ' x ', '  x', ' {a: b}', ' [a]', ' |', ' >', ' &a x', ' *a', ' !!str x', ' "a" b'],
  ...[" 'a'", ' -', ' a,b', ' 9223372036854775807', '\tx', ' x\t', ' x\r', ' é', ' "\u00a0"', ' 2001-01-01', ' /', ' =', ' a==', ' .inf'],
];
const awkwardLines = ['', '---', '...', '# comment', '  # comment', '- x', '- ', '? a', '%YAML 1.2', '\ufeffa: b'];

test('what is read is what the decoder reads', () => {
  const mostly = (usual: readonly string[], awkward: readonly string[]) =>
    fc.oneof({ arbitrary: fc.constantFrom(...usual), weight: 12 }, { arbitrary: fc.constantFrom(...awkward), weight: 1 });
  const line = fc.record({
    indent: mostly(['', '', '', '  ', '  ', '- ', '  - ', '    '], awkwardIndents),
    key: mostly(['key'], awkwardKeys),
    scalar: mostly(['', '', ' x', ' "x"', ' 1'], awkwardScalars),
    instead: mostly(['no'], awkwardLines),
  });
  let read = 0;
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), mostly(['\n'], ['', '\n\n']), (lines, end) => {
      const texts = lines.map(({ indent, key, scalar, instead }, index) =>
        instead === 'no' ? `${indent}${key === 'key' ? `key${index}` : key}:${scalar}` : instead,
      );
      const text = texts.join('\n') + end;
      const value = readPlainYaml(text);
      if (value === undefined) return;
      read += 1;
      assert.deepEqual({ value, duplicates: [] }, decodeYaml(text));
    }),
    { numRuns: 3000 },
  );
  assert.ok(read > 100, `only ${read} texts were read`);
});
