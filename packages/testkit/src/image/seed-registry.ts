import type { TestRegistry } from '../registry/test-registry.ts';
import type { BuiltImage } from './build-image.ts';

/** Puts an image straight into a registry's memory, without requests in its log, and points `tags` at its root. */
export function seedRegistry(
  registry: Pick<TestRegistry, 'content'>,
  repository: string,
  image: BuiltImage,
  tags: readonly string[] = [],
): void {
  for (const bytes of image.blobs.values()) registry.content.putBlob(repository, bytes);
  for (const manifest of image.manifests) {
    registry.content.putManifest(repository, manifest.bytes, manifest.mediaType, manifest.digest === image.digest ? tags : []);
  }
}
