import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import { runProgram } from '@arc/composition/program';
import { systemClock } from '@arc/kernel';
import { program } from './program.ts';

test('a command line nobody can serve by is refused at once, others as JSON with what to do', async () => {
  const run = async (...argv: readonly string[]): Promise<readonly [number, string]> => {
    const streams = memoryStreams();
    const { signal } = new AbortController();
    return [await runProgram(program, argv, { streams, environment: {}, clock: systemClock, signal }), streams.stderr.text];
  };
  assert.deepEqual(await run(), [
    2,
    "error[Usage]: required option '--storage <url>' not specified\nhint: Run it with --help to see what it takes.\n",
  ]);
  assert.match((await run('--storage', 'mysql://x'))[1], /^error\[Usage\]: unknown storage "mysql:"\nhint: Write sqlite:FILE/);
  assert.match((await run('--storage', 'memory:', '--shutdown-delay', 'soon'))[1], /--shutdown-delay/);
  const [code, text] = await run('--storage', 'memory:');
  assert.equal(code, 1);
  const { error } = JSON.parse(text) as { readonly error: { readonly code: string; readonly hint: string } };
  assert.deepEqual(
    [error.code, error.hint],
    ['NoCluster', 'Name a file with --kubeconfig or KUBECONFIG; in a pod nothing needs to be said.'],
  );
});
