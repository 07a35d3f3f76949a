import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildImage, findProgram, runCommand, seedRegistry, startTestRegistry, type TestRegistry } from '@arc/testkit';
import { openEndpoint } from '../oci/open-repository.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { copyArtifact, type CopyResult } from './copy-artifact.ts';

const built = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'artifact-conduit');
const crane = findProgram('crane', built);
const oras = findProgram('oras', built);
const image = buildImage((platform) => [{ 'etc/platform': platform }], { random: { layers: 2, bytes: 200_000 } });

async function run(program: string | undefined, args: readonly string[], cwd?: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(program ?? '', args, cwd === undefined ? {} : { cwd });
  assert.equal(code, 0, stderr);
  return stdout;
}

async function copy(source: TestRegistry, destination: TestRegistry): Promise<CopyResult> {
  using here = openEndpoint(parseEndpointURL(source.url));
  using there = openEndpoint(parseEndpointURL(destination.url));
  return await copyArtifact(await here.source('demo/app'), 'v1', await there.destination('demo/app'), {
    tags: ['v1'],
    referrers: 'required',
  });
}

test(
  'crane finds what we copied complete, and we copy what crane pushed',
  { skip: crane === undefined && 'crane is not built: test/tools/crane/build.sh' },
  async () => {
    await using source = await startTestRegistry();
    await using destination = await startTestRegistry();
    await using theirs = await startTestRegistry();
    seedRegistry(source, 'demo/app', image, ['v1']);
    await copy(source, destination);
    assert.equal((await run(crane, ['digest', '--insecure', `${destination.host}/demo/app:v1`])).trim(), image.digest);
    await run(crane, ['validate', '--insecure', '--remote', `${destination.host}/demo/app:v1`]);
    await run(crane, ['copy', '--insecure', `${destination.host}/demo/app:v1`, `${theirs.host}/demo/app:v1`]);
    await using back = await startTestRegistry();
    await copy(theirs, back);
    assert.deepEqual(back.content.manifest('demo/app', 'v1')?.bytes, image.bytes);
  },
);

test(
  'what oras attached comes along, and oras discovers it where it was copied, with the referrers API and without',
  { skip: oras === undefined && 'oras is not built: test/tools/oras/build.sh' },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'arc-oras-'));
    try {
      await writeFile(join(folder, 'sbom.json'), '{"bomFormat":"CycloneDX"}');
      for (const [from, to] of [
        [true, false],
        [false, true],
      ] as const) {
        await using source = await startTestRegistry({ referrers: from });
        await using destination = await startTestRegistry({ referrers: to });
        seedRegistry(source, 'demo/app', image, ['v1']);
        const attach = ['attach', '--plain-http', '--artifact-type', 'application/vnd.cyclonedx+json'];
        await run(oras, [...attach, `${source.host}/demo/app:v1`, 'sbom.json:application/json'], folder);
        const result = await copy(source, destination);
        assert.deepEqual([result.referrers, result.warnings], [1, []]);
        const found = await run(oras, ['discover', '--plain-http', '--format', 'json', `${destination.host}/demo/app:v1`]);
        assert.match(found, /application\/vnd\.cyclonedx\+json/);
        const [, digest = ''] = /"digest": "(sha256:[0-9a-f]{64})"/.exec(found) ?? [];
        const pulled = join(folder, `pulled-${String(from)}`);
        await mkdir(pulled);
        await run(oras, ['pull', '--plain-http', `${destination.host}/demo/app@${digest}`], pulled);
        assert.equal(await readFile(join(pulled, 'sbom.json'), 'utf8'), '{"bomFormat":"CycloneDX"}');
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
