import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeBuilt, importCompiled } from './package-description.ts';

test('a built package exports compiled files with their types, under one version with its siblings', () => {
  const built = describeBuilt(
    {
      name: '@arc/one',
      version: '0.1.0',
      private: true,
      license: 'Apache-2.0',
      exports: { '.': './src/index.ts', './bin/one.mjs': './bin/one.mjs' },
      dependencies: { '@arc/two': '0.1.0', yaml: '2.9.1' },
      devDependencies: { '@arc/testkit': '0.1.0' },
    },
    '1.2.3',
  );
  assert.deepEqual(built, {
    name: '@arc/one',
    version: '1.2.3',
    license: 'Apache-2.0',
    engines: { node: '>=24.15' },
    files: ['src', 'bin', 'LICENSE'],
    exports: { '.': { types: './src/index.d.ts', default: './src/index.js' }, './bin/one.mjs': './bin/one.mjs' },
    dependencies: { '@arc/two': '1.2.3', yaml: '2.9.1' },
  });
});

test('an export that is not built is refused', () => {
  assert.throws(
    () => describeBuilt({ name: '@arc/one', version: '0.1.0', exports: { '.': './lib/index.ts' } }, '1.0.0'),
    /@arc\/one exports .\/lib\/index.ts/,
  );
});

test('launchers import what was compiled; other texts stay as they are', () => {
  assert.equal(
    importCompiled("const { main } = await import('../src/main.ts');\nimport { a } from './a.ts';\nprint('../src/main.ts');"),
    "const { main } = await import('../src/main.js');\nimport { a } from './a.js';\nprint('../src/main.ts');",
  );
});
