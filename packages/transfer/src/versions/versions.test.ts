import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { buildImage, seedRegistry, startTestRegistry } from '@arc/testkit';
import { openEndpoint } from '../oci/open-repository.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { globMatcher } from './glob.ts';
import { listVersions } from './list-versions.ts';
import { compareVersions, parseVersion, type SemanticVersion } from './semantic-version.ts';
import { parseRange } from './version-range.ts';

function version(text: string): SemanticVersion {
  const parsed = parseVersion(text);
  assert.ok(parsed, text);
  return parsed;
}

test('versions are ordered as the specification orders its own example', () => {
  const ascending = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.2.0',
    '1.10.0',
    '2.0.0',
  ];
  for (const [index, text] of ascending.entries()) {
    for (const [other, later] of ascending.entries()) {
      assert.equal(Math.sign(compareVersions(version(text), version(later))), Math.sign(index - other), `${text} ${later}`);
    }
  }
  assert.equal(compareVersions(version('v1.0.0+a'), version('1.0.0+b')), 0);
});

test('what is no version is none', () => {
  for (const text of [
    '',
    '1',
    '1.2',
    'latest',
    '01.2.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3+',
    '1.2.3.4',
    'x1.2.3',
    ' 1.2.3',
    `1.2.${'9'.repeat(400)}`,
  ]) {
    assert.equal(parseVersion(text), undefined, text);
  }
});

test('ranges include what npm includes', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['>=1.2 <2', ['1.2.0', '1.99.0'], ['1.1.9', '2.0.0', '2.0.0-rc.1', '1.3.0-rc.1']],
    ['>= 1.2, < 2', ['1.2.0'], ['2.0.0']],
    ['^1.2.3', ['1.2.3', '1.9.0'], ['1.2.2', '2.0.0', '2.0.0-alpha']],
    ['^0.2.3', ['0.2.3', '0.2.9'], ['0.3.0', '1.0.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4']],
    ['^0.0', ['0.0.1'], ['0.1.0']],
    ['^0', ['0.9.0'], ['1.0.0']],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0']],
    ['~1.2', ['1.2.0'], ['1.3.0']],
    ['~1', ['1.9.0'], ['2.0.0']],
    ['1.x', ['1.0.0', '1.9.9'], ['2.0.0', '0.9.0']],
    ['1.2.*', ['1.2.9'], ['1.3.0']],
    ['*', ['0.0.0', '9.9.9'], ['1.0.0-rc.1']],
    ['', ['1.0.0'], []],
    ['1.2 - 2.3', ['1.2.0', '2.3.9'], ['1.1.0', '2.4.0']],
    ['1.2.3 || ^2', ['1.2.3', '2.5.0'], ['1.2.4', '3.0.0']],
    ['>1.2', ['1.3.0'], ['1.2.9']],
    ['>1.2.3', ['1.2.4'], ['1.2.3']],
    ['<=1.2', ['1.2.9'], ['1.3.0']],
    ['<1.2', ['1.1.9'], ['1.2.0', '1.2.0-rc.1']],
    ['=1.2.3', ['1.2.3', 'v1.2.3', '1.2.3+build'], ['1.2.4']],
    ['>=1.3.0-rc.1', ['1.3.0-rc.2', '1.3.0', '1.4.0'], ['1.3.0-beta', '1.4.0-rc.1']],
  ];
  for (const [text, inside, outside] of cases) {
    const range = parseRange(text);
    for (const candidate of inside) assert.ok(range.includes(version(candidate)), `${candidate} in ${text}`);
    for (const candidate of outside) assert.ok(!range.includes(version(candidate)), `${candidate} not in ${text}`);
  }
  assert.ok(parseRange('>=1.2').includes(version('1.3.0-rc.1'), { includePrereleases: true }));
  for (const text of ['one', '>=', '1.2.3.4', '>=1 ||| 2', '^^1', '1.-2']) {
    assert.throws(() => parseRange(text), { code: 'InvalidReference' }, text);
  }
});

test('for any two versions, the one is in the range that begins with the other exactly when it does not come before', () => {
  const part = fc.nat({ max: 20 });
  const any = fc.tuple(part, part, part).map((parts) => parts.join('.'));
  fc.assert(
    fc.property(any, any, (a, b) => {
      const order = compareVersions(version(a), version(b));
      assert.equal(parseRange(`>=${b}`).includes(version(a)), order >= 0);
      assert.equal(parseRange(`<${b}`).includes(version(a)), order < 0);
      assert.equal(parseRange(`<${b} || >=${b}`).includes(version(a)), true);
      assert.equal(parseRange(`^${b}`).includes(version(b)) && parseRange(`~${b}`).includes(version(b)), true);
    }),
  );
});

test('patterns match as a regular expression would, and hostile ones end', () => {
  const letters = fc.constantFrom('a', 'b', '*', '?');
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 8 }), fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 }), (pattern, name) => {
      const expression = new RegExp(`^${pattern.join('').replaceAll('*', '.*').replaceAll('?', '.')}$`);
      assert.equal(globMatcher(pattern.join(''))(name.join('')), expression.test(name.join('')));
    }),
  );
  assert.equal(globMatcher('*a'.repeat(60))('a'.repeat(127) + 'b'), false);
  assert.equal(globMatcher('v1.*')('v1.2'), true);
  assert.equal(globMatcher('v1.*')('v1x2'), false);
});

test('the versions of a repository, the newest first, with one request a page', async () => {
  await using registry = await startTestRegistry({ pageSize: 4 });
  const image = buildImage([{ x: 'y' }]);
  const tags = [
    'v1.2.0',
    '1.10.0',
    '1.9.0',
    '2.0.0',
    '2.1.0-rc.1',
    'latest',
    'edge',
    '1.3.0_build',
    `${image.digest.replace(':', '-')}.sig`,
  ];
  seedRegistry(registry, 'demo/app', image, tags);
  using endpoint = openEndpoint(parseEndpointURL(registry.url));
  const repository = await endpoint.source('demo/app');
  const list = async (options: Parameters<typeof listVersions>[1]): Promise<string[]> =>
    (await listVersions(repository, options)).map(({ tag }) => tag);
  registry.requests.clear();
  assert.deepEqual(await list({ range: parseRange('>=1.2 <2') }), ['1.10.0', '1.9.0', '1.3.0_build', 'v1.2.0']);
  assert.equal(registry.requests.entries.length, 3);
  assert.deepEqual(await list({}), ['2.1.0-rc.1', '2.0.0', '1.10.0', '1.9.0', '1.3.0_build', 'v1.2.0', 'edge', 'latest']);
  assert.deepEqual(await list({ range: parseRange('>=2'), includePrereleases: true }), ['2.1.0-rc.1', '2.0.0']);
  assert.deepEqual(await list({ match: '1.*', limit: 2 }), ['1.10.0', '1.9.0']);
});
