import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a process has loaded after it has imported one module of this folder: URLs of files, and names of built-in modules. */
async function loadedWith(module: string): Promise<{ readonly files: readonly string[]; readonly builtin: readonly string[] }> {
  const script = `
    import { registerHooks } from 'node:module';
    const files = [];
    registerHooks({ load: (url, context, next) => (files.push(url), next(url, context)) });
    await import(${JSON.stringify(new URL(module, import.meta.url).href)});
    console.log(JSON.stringify({ files, builtin: process.moduleLoadList }));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as Awaited<ReturnType<typeof loadedWith>>;
}

test('arcctl get loads no YAML, no schemas and nothing of the server', async () => {
  const { files, builtin } = await loadedWith('./get/get.ts');
  const unwanted = /\/node_modules\/yaml\/|apimachinery\/src\/(?:index|yaml)\.ts|\/packages\/(?:api|apiserver|storage|workflows)\//;
  assert.deepEqual(
    files.filter((file) => unwanted.test(file)),
    [],
  );
  assert.deepEqual(
    builtin.filter((name) => name.includes('undici')),
    [],
    'loaded by an import of node:http; use http of @arc/kernel',
  );
});

test('arcctl up loads no undici, and the drivers of databases only when they are chosen', async () => {
  const { files, builtin } = await loadedWith('./up/embedded.ts');
  assert.deepEqual(
    files.filter((file) => /\/storage-(?:postgres|etcd)\//.test(file)),
    [],
  );
  assert.deepEqual(
    builtin.filter((name) => name.includes('undici')),
    [],
    'loaded by an import of node:http; use http of @arc/kernel',
  );
});
