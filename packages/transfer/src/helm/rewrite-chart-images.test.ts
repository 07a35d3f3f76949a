import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildChart } from '@arc/testkit';
import { readChart, readChartFiles } from './chart-archive.ts';
import { chartImages } from './chart-images.ts';
import { rewriteChartImages } from './rewrite-chart-images.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const prefix = 'registry.zone.example:5000/incoming';
const values = `# images of the chart
image: {repository: team/app, tag: ""} # stays
sidecar:
  image:
    registry: quay.io   # the registry
    repository: 'org/sidecar'
    tag: 1.10
pinned: {repository: r.example.org:5000/p, digest: "${digest}"}
jobs:
  - image: busybox:1.36
  - image: "ghcr.io/x/y@${digest}"
git: {repository: https://example.org/charts}
imageName: not-an-image
empty:
  image:
`;
const template = `containers:
  - image: "nginx:1.25"
  - image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
    image: registry.k8s.io/pause:3.9
  # image: commented:1
`;
const chart = buildChart('app', '1.0.0', {
  metadata: 'appVersion: "2.0"\nannotations:\n  artifacthub.io/images: |\n    - name: a\n      image: docker.io/team/annotated:1\n',
  files: {
    'app/values.yaml': values,
    'app/templates/a.yaml': template,
    'app/README.md': 'image: docs.example.org/not/touched:1\n',
    'app/charts/sub/Chart.yaml': 'name: sub\nversion: 1.0.0\n',
    'app/charts/sub/values.yaml': 'image:\n  repository: team/sub\n  tag: "3"\n',
  },
});

test('every image that is found is named where it was brought to, and nothing else changes', async () => {
  const { archive, images } = await rewriteChartImages(chart.archive, 'app', prefix);
  const text = async (path: string): Promise<string> => String((await readChartFiles(archive, 'app', (each) => each === path)).get(path));
  assert.equal(
    await text('app/values.yaml'),
    values
      .replace('repository: team/app', `repository: ${prefix}/team/app`)
      .replace('registry: quay.io ', 'registry: registry.zone.example:5000 ')
      .replace("'org/sidecar'", "'incoming/org/sidecar'")
      .replace('r.example.org:5000/p', `${prefix}/p`)
      .replace('image: busybox:1.36', `image: ${prefix}/library/busybox:1.36`)
      .replace('"ghcr.io/x/y@', `"${prefix}/x/y@`),
  );
  assert.equal(
    await text('app/templates/a.yaml'),
    template.replace('"nginx:1.25"', `"${prefix}/library/nginx:1.25"`).replace('registry.k8s.io/pause', `${prefix}/pause`),
  );
  assert.match(await text('app/Chart.yaml'), /image: registry\.zone\.example:5000\/incoming\/team\/annotated:1$/m);
  assert.equal(await text('app/charts/sub/values.yaml'), `image:\n  repository: ${prefix}/team/sub\n  tag: "3"\n`);
  assert.match(execFileSync('tar', ['-xOf', '-', 'app/README.md'], { input: gunzipSync(archive), encoding: 'utf8' }), /not\/touched:1$/m);
  const before = await chartImages(chart.archive, 'app');
  const after = await chartImages(archive, 'app');
  assert.deepEqual(
    after.map(({ registry, image }) => `${registry}/${image}`).sort(),
    before.map(({ image }) => `${prefix}/${image}`).sort(),
  );
  assert.equal(images.length, before.length);
  assert.deepEqual((await readChart(archive, 'app')).metadata['version'], '1.0.0');
});

test('the same chart gives the same bytes, and one that is rewritten already is left as it is', async () => {
  const [first, again] = await Promise.all([1, 2].map(() => rewriteChartImages(chart.archive, 'app', prefix)));
  assert.ok(first !== undefined && again !== undefined);
  assert.deepEqual(first.archive, again.archive);
  const plain = buildChart('app', '1.0.0', {
    files: { 'app/values.yaml': `image: {repository: ${prefix}/a, tag: "1"}\nb: {image: "${prefix}/c:1"}\n` },
  });
  assert.equal((await rewriteChartImages(plain.archive, 'app', prefix)).images.length, 0);
  assert.equal((await rewriteChartImages(first.archive, 'app', prefix)).images.length, 0);
});

test('what is no chart, or names what cannot be an image, is refused', async () => {
  await assert.rejects(rewriteChartImages(Buffer.from('no gzip'), 'app', prefix), { code: 'InvalidManifest' });
  for (const broken of ['image: {repository: "../../etc", tag: "1"}', 'a: [']) {
    const { archive } = buildChart('app', '1.0.0', { files: { 'app/values.yaml': broken } });
    await assert.rejects(rewriteChartImages(archive, 'app', prefix), { code: 'InvalidManifest' });
  }
});
