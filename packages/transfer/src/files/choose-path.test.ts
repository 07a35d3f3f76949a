import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePath } from './choose-path.ts';
import type { FileSource } from './file-source.ts';

function sourceOf(paths: readonly string[] | undefined): FileSource {
  return {
    name: 'bucket',
    file: () => assert.fail('no file is opened'),
    list:
      paths === undefined
        ? undefined
        : async function* (prefix) {
            yield* paths.filter((path) => path.startsWith(prefix));
          },
    [Symbol.dispose]: () => {},
  };
}

test('the newest version in the range is chosen, by what stands in all places alike', async () => {
  const versions = ['1.9.0', '1.10.0', '1.10.0-rc.1', '2.0.0', 'latest', '1.10'];
  const source = sourceOf([
    ...versions.map((version) => `t/${version}/t-${version}.tgz`),
    't/3.0.0/t-3.0.1.tgz',
    't/9.0.0/t-9.0.0.tgz.sig',
  ]);
  const choose = (range: string) => choosePath(source, 't/{{.version}}/t-{{.version}}.tgz', range);
  assert.deepEqual(await choose('^1.0'), { path: 't/1.10.0/t-1.10.0.tgz', version: '1.10.0' });
  assert.equal((await choose('*')).version, '2.0.0');
  assert.equal((await choose('1.9.0')).version, '1.9.0');
  await assert.rejects(choose('>=3'), { code: 'NotFound' });
  await assert.rejects(choosePath(sourceOf(undefined), '{{.version}}', '*'), { code: 'InvalidReference', message: /cannot list/ });
});
