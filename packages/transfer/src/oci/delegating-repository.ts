import type { WritableRepository } from './repository.ts';

/** A repository that does what `base` does, but for what is replaced. */
export function delegatingTo(base: WritableRepository, replaced: Partial<WritableRepository>): WritableRepository {
  return {
    name: base.name,
    ...(base.mountPoint === undefined ? {} : { mountPoint: base.mountPoint }),
    resolve: (reference, options) => base.resolve(reference, options),
    fetchManifest: (reference, options) => base.fetchManifest(reference, options),
    fetchBlob: (descriptor, options) => base.fetchBlob(descriptor, options),
    listReferrers: (subject, options) => base.listReferrers(subject, options),
    listTags: (options) => base.listTags(options),
    hasBlob: (descriptor, options) => base.hasBlob(descriptor, options),
    pushBlob: (descriptor, stream, options) => base.pushBlob(descriptor, stream, options),
    pushManifest: (manifest, options) => base.pushManifest(manifest, options),
    tagManifest: (manifest, tag, options) => base.tagManifest(manifest, tag, options),
    ...(base.mountBlob === undefined
      ? {}
      : { mountBlob: (descriptor, from, options) => base.mountBlob?.(descriptor, from, options) ?? Promise.resolve(false) }),
    ...replaced,
  };
}
