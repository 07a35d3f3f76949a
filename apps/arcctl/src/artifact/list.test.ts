import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import { buildImage, seedRegistry, startTestRegistry } from '@arc/testkit';
import type { TestRegistry } from '@arc/testkit';
import { runCli } from '../run-cli.ts';

const image = buildImage([{ x: 'y' }]);
let home = '';
let registry: TestRegistry;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'arcctl-artifact-'));
  registry = await startTestRegistry({ auth: { kind: 'token', users: { reader: 'the password' } } });
  seedRegistry(registry, 'team/app', image, ['v1.2.0', 'v1.10.0', 'v2.0.0', 'v2.1.0-rc.1', 'latest']);
  await mkdir(join(home, '.docker'));
  const auth = Buffer.from('reader:the password').toString('base64');
  await writeFile(join(home, '.docker', 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
});
after(async () => {
  await registry.close();
  await rm(home, { recursive: true });
});

async function list(...args: string[]) {
  const streams = memoryStreams();
  const signal = new AbortController().signal;
  const code = await runCli(['artifact', 'list', ...args], { streams, environment: { HOME: home }, clock: systemClock, signal });
  return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
}

test('versions in a range, the newest first, with the credentials of the Docker configuration', async () => {
  const { code, stdout, stderr } = await list(`${registry.host}/team/app`, '--versions', '>=1.2 <2');
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(stdout.trimEnd().split('\n').map((line) => line.split(/ +/)), [['TAG', 'VERSION'], ['v1.10.0', 'v1.10.0'], ['v1.2.0', 'v1.2.0']]); // prettier-ignore
});

test('names for scripts, JSON with digests for programs', async () => {
  const names = await list(`${registry.host}/team/app`, '--match', '*v2*', '--prereleases', '-o', 'name');
  assert.equal(names.stdout, 'v2.1.0-rc.1\nv2.0.0\n');
  const json = await list(`${registry.host}/team/app`, '--limit', '1', '--versions', '*', '--digests', '-o', 'json');
  assert.deepEqual(JSON.parse(json.stdout), [{ tag: 'v2.0.0', version: 'v2.0.0', digest: image.digest }]);
});

test('wrong calls say what is wrong, and a registry that refuses is no empty list', async () => {
  for (const args of [['team/app'], [`${registry.host}/team/app:v1`], [`${registry.host}/team/app`, '--limit', 'many']]) {
    assert.equal((await list(...args)).code, 2, args.join(' '));
  }
  const range = await list(`${registry.host}/team/app`, '--versions', 'newest');
  assert.equal(range.code, 1);
  assert.match(range.stderr, /"newest" is not a range of versions/);
  const empty = join(home, 'empty.json');
  await writeFile(empty, '{"auths":{}}');
  const refused = await list(`${registry.host}/team/app`, '--authfile', empty);
  assert.deepEqual([refused.code, refused.stdout], [4, '']);
  assert.equal((await list(`${registry.host}/team/app`, '--authfile', join(home, 'none.json'))).code, 1);
});
