import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { digestOf, type DockerRegistry, mediaTypes } from '@arc/testkit';
import { openEndpoint, parseDigest, parseEndpointURL, parseManifest, type WritableRepository } from '@arc/transfer';
import { authority } from './secure-registry.ts';

/** Puts images of incompressible layers into a registry, one tag each; no two layers are the same. */
export async function seedImages(
  registry: DockerRegistry,
  repository: string,
  tags: readonly string[],
  shape: { readonly layers: number; readonly layerBytes: number },
): Promise<void> {
  using endpoint = openEndpoint(parseEndpointURL(registry.url), { tls: { ca: authority.certPem } });
  const target = await endpoint.destination(repository);
  for (const tag of tags) {
    const layers: { mediaType: string; digest: string; size: number }[] = [];
    const diffIds: string[] = [];
    for (let layer = 0; layer < shape.layers; layer += 1) {
      const content = randomBytes(shape.layerBytes);
      diffIds.push(`sha256:${createHash('sha256').update(content).digest('hex')}`);
      layers.push({ mediaType: mediaTypes.layer, ...(await push(target, gzipSync(content, { level: 0 }))) });
    }
    const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffIds }, tag };
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, ...(await push(target, Buffer.from(JSON.stringify(config)))) },
      layers,
    };
    await target.tagManifest(parseManifest(Buffer.from(JSON.stringify(document)), mediaTypes.manifest), tag);
  }
}

async function push(target: WritableRepository, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const digest = digestOf(bytes);
  const descriptor = { mediaType: 'application/octet-stream', digest: parseDigest(digest), size: bytes.length };
  await target.pushBlob(descriptor, once(bytes));
  return { digest, size: bytes.length };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
