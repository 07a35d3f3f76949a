import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@arc/kernel';
import { type CommandResult, findTool, runCommand, startFileServer, startTestRegistry } from '@arc/testkit';
import { copyArtifact } from '../copy/copy-artifact.ts';
import { FileDirectory } from '../files/file-directory.ts';
import { HttpTransport } from '../http/http-transport.ts';
import { openEndpoint } from '../oci/open-repository.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { chartArtifact, chartTag } from './chart-artifact.ts';
import { publishChart } from './publish-chart.ts';
import { filesOfServer } from './repository-files.ts';
import { ChartRepository } from './chart-repository.ts';

const helm = findTool('helm');

test(
  'what helm packages and indexes arrives as helm push would put it, and helm pulls the same bytes',
  { skip: helm === undefined && 'no helm on this machine: test/tools/helm/build.sh builds it with Go' },
  async () => {
    if (helm === undefined) return;
    await using place = await mkdtempDisposable(join(tmpdir(), 'arc-helm-'));
    const at = (...parts: string[]): string => join(place.path, ...parts);
    const env = { HOME: place.path, HELM_CACHE_HOME: at('cache'), HELM_CONFIG_HOME: at('config'), HELM_DATA_HOME: at('data') };
    const run = async (...args: string[]): Promise<CommandResult> => {
      const result = await runCommand(helm, args, { env });
      assert.equal(result.code, 0, `helm ${args.join(' ')}: ${result.stderr}`);
      return result;
    };
    const file = 'real-1.2.3+build.5.tgz';
    await run('create', at('real'));
    await run('package', at('real'), '--version', '1.2.3+build.5', '--app-version', '1.10', '--destination', at('repository'));
    await run('repo', 'index', at('repository'));
    const archive = await readFile(at('repository', file));
    await using server = await startFileServer({
      files: { '/index.yaml': await readFile(at('repository', 'index.yaml')), [`/${file}`]: archive },
    });
    await using registry = await startTestRegistry();

    using transport = new HttpTransport(new URL(server.url));
    const chart = await new ChartRepository(filesOfServer(transport, new URL('/', server.url))).fetch('real', '*');
    const artifact = chartArtifact(chart);
    using destination = openEndpoint(parseEndpointURL(registry.url));
    const { digest } = artifact.manifest.descriptor;
    await copyArtifact(artifact, digest, await destination.destination('ours/real'), { tags: [chartTag(chart.version)] });

    // The classic layout: helm finds the chart by the index, beside one that helm itself listed.
    await run('create', at('older'));
    await run('package', at('older'), '--destination', at('classic'));
    await run('repo', 'index', at('classic'));
    const store = await FileDirectory.open(at('classic'));
    await writeFile(at('classic', file), chart.archive);
    assert.equal(await publishChart(store, chart, { clock: systemClock }), true);
    const index = await readFile(at('classic', 'index.yaml'));
    await using classic = await startFileServer({ files: { '/index.yaml': index, [`/${file}`]: await readFile(at('classic', file)) } });
    await mkdir(at('pulled'));
    await run('repo', 'add', 'classic', classic.url);
    const found = JSON.parse((await run('search', 'repo', '--versions', '-o', 'json')).stdout) as { name: string; app_version: string }[];
    assert.deepEqual(
      found.map(({ name, app_version: version }) => [name, version]),
      [
        ['classic/older', '1.16.0'],
        ['classic/real', '1.10'],
      ],
    );
    await run('pull', 'classic/real', '--destination', at('pulled'), '--version', '1.2.3+build.5');
    assert.deepEqual(await readFile(at('pulled', file)), archive);

    await run('pull', `oci://${registry.host}/ours/real`, '--version', '1.2.3+build.5', '--plain-http', '--destination', place.path);
    assert.deepEqual(await readFile(at(file)), archive);
    await run('push', at('repository', file), `oci://${registry.host}/theirs`, '--plain-http');
    const read = (repository: string): { config: unknown; layers: unknown } =>
      JSON.parse(String(registry.content.manifest(repository, '1.2.3_build.5')?.bytes)) as { config: unknown; layers: unknown };
    const [ours, theirs] = [read('ours/real'), read('theirs/real')];
    assert.deepEqual([ours.config, ours.layers], [theirs.config, theirs.layers]);
  },
);
