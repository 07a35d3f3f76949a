import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import { buildImage, seedRegistry, startTestRegistry } from '@arc/testkit';
import { runCli } from '../run-cli.ts';

const image = buildImage([{ x: 'y' }]);

/** A helper as docker-credential-helpers are: it knows one registry and notes that it was asked. */
const helperFor = (host: string, log: string): string => `#!/bin/sh
read server
echo "$1 $server" >> ${log}
if [ "$server" = "${host}" ]; then echo '{"ServerURL":"x","Username":"reader","Secret":"the password"}'; exit 0; fi
echo "credentials not found in native keychain"; exit 1
`;

test('credential helpers are run when asked for, once a registry, and never otherwise', async () => {
  const home = await mkdtemp(join(tmpdir(), 'arcctl-helpers-'));
  await using registry = await startTestRegistry({ auth: { kind: 'basic', users: { reader: 'the password' } } });
  await using open = await startTestRegistry();
  try {
    for (const each of [registry, open]) seedRegistry(each, 'team/app', image, ['v1', 'v2']);
    await mkdir(join(home, '.docker'));
    await mkdir(join(home, 'bin'));
    const log = join(home, 'asked');
    await writeFile(join(home, 'bin', 'docker-credential-test'), helperFor(registry.host, log));
    await chmod(join(home, 'bin', 'docker-credential-test'), 0o755);
    const configure = (configuration: object): Promise<void> =>
      writeFile(join(home, '.docker', 'config.json'), JSON.stringify(configuration));
    const run = async (...args: string[]) => {
      const streams = memoryStreams();
      const environment = { HOME: home, PATH: `${join(home, 'bin')}:/usr/bin:/bin` };
      const { signal } = new AbortController();
      const code = await runCli(['artifact', ...args], { streams, environment, clock: systemClock, signal });
      return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
    };
    const list = (host: string, ...args: string[]) => run('list', `${host}/team/app`, '--digests', '-o', 'name', ...args);
    await configure({ credsStore: 'test' });
    assert.equal((await list(registry.host)).code, 4, 'not asked for, not run');
    assert.deepEqual(await list(registry.host, '--credential-helpers'), { code: 0, stdout: 'v1\nv2\n', stderr: '' });
    assert.equal((await list(open.host, '--credential-helpers')).code, 0, 'unknown to the helper means anonymous');
    await configure({ auths: { [open.host]: {} }, credHelpers: { [registry.host]: 'test' } });
    assert.equal((await list(registry.host, '--credential-helpers')).code, 0);
    const verified = await run('verify', `${registry.host}/team/app:v1`, '--credential-helpers');
    assert.match(verified.stdout, new RegExp(`is ${image.digest}`));
    for (const [helper, problem] of [
      ['missing', /is not installed/],
      ['../../bin/sh', /does not have the name of a program/],
      ['a b; touch /tmp/x', /does not have the name of a program/],
    ] as const) {
      await configure({ credsStore: helper });
      const failed = await list(registry.host, '--credential-helpers');
      assert.equal(failed.code, 1);
      assert.match(failed.stderr, problem);
      assert.doesNotMatch(failed.stderr, /the password/);
    }
    assert.deepEqual((await readFile(log, 'utf8')).trim().split('\n'), [
      `get ${registry.host}`,
      `get ${open.host}`,
      `get ${registry.host}`,
      `get ${registry.host}`,
    ]);
  } finally {
    await rm(home, { recursive: true });
  }
});
