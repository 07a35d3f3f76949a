import { createHash } from 'node:crypto';
import { buildImage, seedRegistry, startTestRegistry } from '@arc/testkit';
import type { BuiltImage, TestRegistry } from '@arc/testkit';

const mebibyte = 1024 * 1024;

interface SeededImage {
  /** Repository and tag at the source, as the Order names it. */
  readonly source: string;
  readonly image: BuiltImage;
}

export interface DemoRegistries extends AsyncDisposable {
  readonly source: TestRegistry;
  readonly destination: TestRegistry;
  readonly images: readonly SeededImage[];
}

/**
 * Starts two registries on loopback and builds real multi-platform images into the first. Each answer of the source is as fast
 * as a good line, not as loopback, so that there is some progress to see.
 */
export async function startDemoRegistries(): Promise<DemoRegistries> {
  const source = await startTestRegistry({ bytesPerSecond: 0.8 * mebibyte });
  const destination = await startTestRegistry();
  const images = [
    seed(source, 'demo/app', 'v1', 4, 3 * mebibyte),
    seed(source, 'demo/tools', 'v2', 2, 2 * mebibyte),
    seed(source, 'demo/base', 'v3', 1, 2 * mebibyte),
  ];
  return {
    source,
    destination,
    images,
    [Symbol.asyncDispose]: async () => {
      await source.close();
      await destination.close();
    },
  };
}

function seed(registry: TestRegistry, repository: string, tag: string, layers: number, bytes: number): SeededImage {
  const image = buildImage(
    (platform) => [
      { 'etc/os-release': `NAME=demo\nPLATFORM=${platform}\n` },
      { 'usr/bin/app': `#!/bin/sh\necho ${repository} on ${platform}\n` },
    ],
    { platforms: ['linux/amd64', 'linux/arm64'], random: { layers, bytes, seed: createHash('sha256').update(repository).digest('hex') } },
  );
  seedRegistry(registry, repository, image, [tag]);
  return { source: `${repository}:${tag}`, image };
}

/** Asks the destination over HTTP what the tag points at and hashes what it sends. */
export async function digestAt(registry: TestRegistry, repository: string, reference: string): Promise<string | undefined> {
  const accept = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', ');
  const answer = await fetch(`${registry.url}/v2/${repository}/manifests/${reference}`, { headers: { accept } });
  if (!answer.ok) return undefined;
  return `sha256:${createHash('sha256')
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest('hex')}`;
}
