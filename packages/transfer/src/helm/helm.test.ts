import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { buildChart, helmRepository, startFileServer, startTestRegistry, tar } from '@arc/testkit';
import { copyArtifact } from '../copy/copy-artifact.ts';
import { HttpTransport } from '../http/http-transport.ts';
import { openEndpoint } from '../oci/open-repository.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { isTransferError } from '../transfer-error.ts';
import { parseChartDescription, parseChartName, readChart } from './chart-archive.ts';
import { chartArtifact, chartMediaTypes } from './chart-artifact.ts';
import { parseChartArtifactSpec } from './chart-artifact-spec.ts';
import { filesOfServer } from './repository-files.ts';
import { ChartRepository, type PublishedChart } from './chart-repository.ts';
import { readIndexEntries } from './index-file.ts';

const charts = ['1.0.0', '1.2.0', '1.10.0', '2.0.0-rc.1'].map((version) => buildChart('podinfo', version));
const newest = charts[2] ?? buildChart('none', '0.0.0');

async function fetchChart(url: string, version: string, path = '/charts/'): Promise<PublishedChart> {
  using transport = new HttpTransport(new URL(url), { retry: { attempts: 2, initialMs: 1, maxMs: 1, maxRetryAfterMs: 1 } });
  return await new ChartRepository(filesOfServer(transport, new URL(path, url))).fetch('podinfo', version);
}

test('a chart of a classic repository arrives in a registry byte for byte, as helm push would put it', async () => {
  await using server = await startFileServer({ files: helmRepository([...charts, buildChart('other', '9.9.9')], { path: '/charts/' }) });
  await using registry = await startTestRegistry();
  const chart = await fetchChart(server.url, '^1');
  assert.deepEqual([chart.version, chart.digest, chart.listedDigest], ['1.10.0', newest.digest, newest.digest]);
  const artifact = chartArtifact(chart);
  using destination = openEndpoint(parseEndpointURL(registry.url));
  const copy = async () =>
    copyArtifact(artifact, artifact.manifest.descriptor.digest, await destination.destination('charts/podinfo'), { tags: ['1.10.0'] });
  assert.equal((await copy()).blobs.copied, 3);
  assert.deepEqual((await copy()).bytes.copied, 0);
  const stored = JSON.parse(String(registry.content.manifest('charts/podinfo', '1.10.0')?.bytes)) as {
    config: { mediaType: string; digest: string };
    layers: { mediaType: string; digest: string }[];
    annotations: Record<string, string>;
  };
  assert.deepEqual(
    stored.layers.map(({ mediaType }) => mediaType),
    [chartMediaTypes.content, chartMediaTypes.provenance],
  );
  assert.deepEqual(registry.content.blob('charts/podinfo', stored.layers[0]?.digest ?? ''), newest.archive);
  assert.deepEqual(registry.content.blob('charts/podinfo', stored.layers[1]?.digest ?? ''), newest.provenance);
  assert.equal(stored.config.mediaType, chartMediaTypes.config);
  assert.deepEqual(JSON.parse(String(registry.content.blob('charts/podinfo', stored.config.digest))), {
    name: 'podinfo',
    version: '1.10.0',
    description: 'a chart for tests',
    apiVersion: 'v2',
    type: 'application',
  });
  assert.deepEqual(stored.annotations, {
    'org.opencontainers.image.description': 'a chart for tests',
    'org.opencontainers.image.title': 'podinfo',
    'org.opencontainers.image.version': '1.10.0',
  });
});

test('one version exactly, also a pre-release; what is not there is said with what is', async () => {
  await using server = await startFileServer({ files: helmRepository(charts, { path: '/charts/', signed: () => false }) });
  const chart = await fetchChart(server.url, '2.0.0-rc.1');
  assert.deepEqual([chart.version, chart.provenance], ['2.0.0-rc.1', undefined]);
  await assert.rejects(fetchChart(server.url, '3.x'), (error: unknown) => {
    assert.ok(isTransferError(error, 'NotFound'));
    assert.match(error.hint ?? '', /2\.0\.0-rc\.1, 1\.10\.0, 1\.2\.0/);
    return true;
  });
  await assert.rejects(fetchChart(server.url, '*', '/'), { code: 'NotFound' });
});

test('an archive that is not what the index, its own name or its provenance say is refused', async () => {
  const files = helmRepository(charts, { path: '/charts/' });
  const other = buildChart('podinfo', '1.10.0', { files: { 'podinfo/evil.txt': 'x' } });
  await using server = await startFileServer({ files: { ...files, [`/charts/${newest.fileName}`]: other.archive } });
  await assert.rejects(fetchChart(server.url, '^1'), { code: 'DigestMismatch' });
  server.files.set(`/charts/${newest.fileName}`, newest.archive);
  server.files.set(`/charts/${newest.fileName}.prov`, other.provenance);
  await assert.rejects(fetchChart(server.url, '^1'), /its provenance file says sha256:/);
  const renamed = buildChart('renamed', '1.10.0');
  const lying = helmRepository([{ ...renamed, name: 'podinfo', fileName: 'podinfo-1.10.0.tgz' }], { path: '/charts/' });
  await using liar = await startFileServer({ files: lying });
  await assert.rejects(fetchChart(liar.url, '*'), /is chart renamed 1\.10\.0, not podinfo 1\.10\.0/);
});

test('an archive elsewhere is fetched without credentials, and never from a forbidden address', async () => {
  await using elsewhere = await startFileServer({ files: { '/x/podinfo-1.10.0.tgz': newest.archive } });
  const urlOf = (): string => `${elsewhere.url}/x/podinfo-1.10.0.tgz`;
  await using server = await startFileServer({
    files: helmRepository([newest], { path: '/charts/', urlOf }),
    auth: { kind: 'basic', username: 'me', password: 'pw' },
  });
  using transport = new HttpTransport(new URL(server.url), {
    credentials: { credentialFor: () => ({ kind: 'basic', username: 'me', password: 'pw' }) },
  });
  const chart = await new ChartRepository(filesOfServer(transport, new URL('/charts/', server.url))).fetch('podinfo', '*');
  assert.equal(chart.digest, newest.digest);
  assert.ok(elsewhere.requests.entries.every(({ headers }) => headers['authorization'] === undefined));
  await using moved = await startFileServer({
    files: helmRepository([newest], { path: '/charts/', urlOf: () => 'oci://example.org/charts/podinfo:1.10.0' }),
  });
  await assert.rejects(
    fetchChart(moved.url, '*'),
    (error: unknown) => isTransferError(error, 'InvalidManifest') && /type oci/.test(error.hint ?? ''),
  );
  for (const address of ['http://169.254.169.254/podinfo.tgz', 'file:///etc/passwd', 'http://me:pw@127.0.0.1/x.tgz']) {
    await using evil = await startFileServer({ files: helmRepository([newest], { path: '/charts/', urlOf: () => address }) });
    await assert.rejects(fetchChart(evil.url, '*'), { code: 'UnsafeURL' }, address);
  }
});

test('chart names and versions that would be paths are refused', () => {
  for (const name of ['.', '..', '../x', 'a/b', 'a\\b', '', 'a..b', 'x\u0000', '-x', 'a b']) {
    assert.throws(() => parseChartName(name, 'it'), { code: 'InvalidManifest' }, JSON.stringify(name));
  }
  for (const version of ['../1.0.0', '1.0.0/x', 'one', '', '1.0.0 x']) {
    assert.throws(() => parseChartDescription(`name: x\nversion: "${version}"\n`, 'it'), { code: 'InvalidManifest' }, version);
  }
  const known = parseChartDescription('name: x\nversion: 1.2.3\nappVersion: 1.10\ndeprecated: true\nunknown: y\n', 'it');
  assert.deepEqual(known.metadata, { name: 'x', version: '1.2.3', appVersion: '1.10', deprecated: true });
  assert.throws(() => parseChartDescription('name: [', 'it'), /not valid YAML/);
});

test('archives that are no charts, unsafe or bombs are refused', async () => {
  const chart = (files: Record<string, string | Buffer>): Buffer => gzipSync(tar(files));
  const description = 'name: x\nversion: 1.0.0\n';
  const cases: readonly (readonly [Buffer, string])[] = [
    [Buffer.from('no archive'), 'InvalidManifest'],
    [gzipSync(Buffer.from('x'.repeat(2000))), 'InvalidManifest'],
    [chart({ 'x/values.yaml': 'a: 1' }), 'InvalidManifest'],
    [chart({ 'x/Chart.yaml': description, 'y/Chart.yaml': description }), 'InvalidManifest'],
    [chart({ 'x/Chart.yaml': description, '../evil': 'x' }), 'InvalidManifest'],
    [chart({ 'x/Chart.yaml': description, 'x/../../evil': 'x' }), 'InvalidManifest'],
    [chart({ 'x/Chart.yaml': description, 'x\\evil': 'x' }), 'InvalidManifest'],
    [gzipSync(tar({ 'x/Chart.yaml': description }).subarray(0, 600)), 'InvalidManifest'],
    [gzipSync(linkTo('/etc/passwd')), 'InvalidManifest'],
    [chart({ 'x/Chart.yaml': description, 'x/zeros': Buffer.alloc(64 * 1024 * 1024) }), 'TooLarge'],
  ];
  for (const [index, [archive, code]] of cases.entries()) {
    await assert.rejects(readChart(archive, 'it'), { code }, `case ${index}`);
  }
  assert.equal((await readChart(chart({ 'x/Chart.yaml': description }), 'it')).name, 'x');
});

function linkTo(target: string): Buffer {
  const archive = tar({ 'x/Chart.yaml': 'name: x\nversion: 1.0.0\n', 'x/link': '' });
  const at = archive.indexOf('x/link');
  archive.write('2', at + 156);
  archive.write(target, at + 157);
  archive.write(' '.repeat(8), at + 148);
  const sum = archive.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
  return archive;
}

test('an archive cut or changed anywhere is read or refused, never anything else', async () => {
  const plain = tar({ 'x/Chart.yaml': 'name: x\nversion: 1.0.0\n', 'x/values.yaml': 'a: 1\n' });
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: plain.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: plain.length }), async (at, byte, length) => {
      const changed = Buffer.from(plain);
      changed[at] = byte;
      try {
        assert.equal(typeof (await readChart(gzipSync(changed.subarray(0, length)), 'it')).name, 'string');
      } catch (error) {
        assert.ok(isTransferError(error), String(error));
      }
    }),
    { numRuns: 200 },
  );
});

test('the index is understood in every style; only the part about the chart is parsed', () => {
  const digest = 'a'.repeat(64);
  const styles = [
    `apiVersion: v1\nentries:\n  aaa:\n  - version: 9.0.0\n    urls: [x]\n  app:\n  - version: 1.10\n    digest: ${digest}\n    urls:\n    - app.tgz\n  zzz:\n  - {}\ngenerated: x\n`,
    `entries:\n    "app":\n        - version: "1.10"\n          description: |\n            text\n\n            zzz:\n          digest: sha256:${digest}\n          urls:\n            - app.tgz\n`,
    JSON.stringify({ entries: { app: [{ version: '1.10', digest, urls: ['app.tgz'] }] } }),
    `entries: {app: [{version: '1.10', digest: ${digest}, urls: [app.tgz]}]}`,
  ];
  for (const text of styles) {
    assert.deepEqual(
      readIndexEntries(text, 'app', 'index.yaml'),
      [{ version: '1.10', digest: `sha256:${digest}`, urls: ['app.tgz'] }],
      text,
    );
    assert.equal(readIndexEntries(text, 'nothing', 'index.yaml'), undefined);
  }
  const damagedElsewhere = `entries:\n  bad:\n  - [}\n  app:\n  - version: "1"\n    urls: []\n`;
  assert.equal(readIndexEntries(damagedElsewhere, 'app', 'index.yaml')?.length, 1);
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nentries: {app: *d}\n`;
  assert.throws(() => readIndexEntries(bomb, 'app', 'index.yaml'), { code: 'InvalidManifest' });
  assert.throws(() => readIndexEntries('<html></html>', 'app', 'index.yaml'), { code: 'InvalidManifest' });
  assert.throws(() => readIndexEntries(`entries:\n${'  x: []\n'.repeat(2_000_000)}`, 'app', 'index.yaml'), { code: 'TooLarge' });
});

test('the spec of a helm artifact', () => {
  const parse = (spec: unknown) => parseChartArtifactSpec(JSON.stringify(spec));
  const plain = parse({ chart: 'podinfo', version: '' });
  assert.deepEqual([plain.name, plain.version, plain.provenance], ['podinfo', '*', 'best-effort']);
  assert.deepEqual(plain.target('1.2.3+build'), { repository: 'podinfo', tags: ['1.2.3_build'] });
  assert.deepEqual(parse({ chart: 'team/app', override: 'zone/{{.name}}:{{.version}}-ok', tags: ['stable'] }).target('1.0.0'), {
    repository: 'zone/team/app',
    tags: ['1.0.0-ok', 'stable'],
  });
  for (const [spec, expected] of [
    [{}, /names no chart/],
    [{ chart: '..' }, /spec\.chart/],
    [{ chart: 'x', version: 1.1 }, /spec\.version: version is not a string/],
    [{ chart: 'x', provenance: 'yes' }, /spec\.provenance/],
    [{ chart: 'x', onConflict: 'maybe' }, /spec\.onConflict/],
  ] as const) {
    assert.throws(() => parse(spec), expected);
  }
  assert.throws(() => parse({ chart: 'Upper' }).target('1.0.0'), /spec\.chart: not a repository name/);
});
