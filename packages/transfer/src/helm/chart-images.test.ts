import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildChart, type ChartOptions } from '@arc/testkit';
import { chartImages } from './chart-images.ts';

const digest = `sha256:${'a'.repeat(64)}`;

async function imagesOf(options: ChartOptions): Promise<string[]> {
  const images = await chartImages(buildChart('app', '1.0.0', options).archive, 'app');
  return images.map(({ registry, image }) => `${registry} ${image}`).sort();
}

test('images are found in annotations, values and plain lines of templates, of charts within it, too', async () => {
  const values = `
image: {repository: team/app, tag: ""}
sidecar:
  image: {registry: quay.io, repository: org/sidecar, tag: 1.10}
pinned: {repository: r.example.org:5000/p, digest: "${digest}"}
jobs: [{image: busybox:1.36}, {image: "ghcr.io/x/y@${digest}"}]
git: {repository: https://example.org/charts}
imageName: not-an-image
`;
  const template = `
containers:
  - image: "nginx:1.25"
  - image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
    image: 'registry.k8s.io/pause:3.9'
  # image: commented:1
`;
  const annotation =
    'appVersion: "2.0"\nannotations:\n  artifacthub.io/images: |\n    - name: a\n      image: docker.io/team/annotated:1\n';
  const files = {
    'app/values.yaml': values,
    'app/templates/a.yaml': template,
    'app/templates/NOTES.txt': 'image: notes:1\n',
    'app/charts/sub/Chart.yaml': 'name: sub\nversion: 1.0.0\nappVersion: 9.9\n',
    'app/charts/sub/values.yaml': 'image:\n  repository: team/sub\n  tag:\n',
  };
  assert.deepEqual(await imagesOf({ files, metadata: annotation }), [
    'docker.io library/busybox:1.36',
    'docker.io library/nginx:1.25',
    'docker.io team/annotated:1',
    'docker.io team/app:2.0',
    'docker.io team/sub:9.9',
    `ghcr.io x/y@${digest}`,
    'quay.io org/sidecar:1.10',
    `r.example.org:5000 p@${digest}`,
    'registry.k8s.io pause:3.9',
  ]);
});

test('names that are none, too many of them and bombs are refused', async () => {
  for (const [values, code] of [
    ['image: {repository: "../../etc", tag: "1"}', 'InvalidManifest'],
    ['image: {repository: "user:pw@evil.example.org/x", tag: "1"}', 'InvalidManifest'],
    ['image: {registry: "evil.example.org/%2e%2e", repository: x, tag: "1"}', undefined],
    ['image: {registry: "a b.c", repository: x, tag: "1"}', 'InvalidManifest'],
    ['a: [', 'InvalidManifest'],
    [Array.from({ length: 101 }, (_, index) => `i${index}: {image: "x:${index}"}`).join('\n'), 'TooLarge'],
    [
      `a: &a [x,x]\n${'bcdefghijk'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(50).fill(`*${'abcdefghij'[index]}`).join(',')}]`)
        .join('\n')}`,
      'InvalidManifest',
    ],
    [`x: ${'a'.repeat(2 * 1024 * 1024)}`, 'TooLarge'],
  ] as const) {
    await assert.rejects(
      imagesOf({ files: { 'app/values.yaml': values } }),
      code === undefined ? { name: 'TransferError' } : { code },
      values.slice(0, 60),
    );
  }
  const deep = `${'{a: '.repeat(60)}{image: "x:1"}${'}'.repeat(60)}`;
  assert.deepEqual(await imagesOf({ files: { 'app/values.yaml': `a: ${deep}` } }), []);
});
