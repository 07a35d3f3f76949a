import { attribute, type CopyOrigin, type Descriptor, type ReadableRepository } from '@arc/transfer';

/** A whole blob, verified; how large it may be has to be looked at before. @throws CopyError */
export function readBlob(
  repository: Pick<ReadableRepository, 'name' | 'fetchBlob'>,
  blob: Descriptor,
  options: { readonly origin: CopyOrigin; readonly signal?: AbortSignal | undefined },
): Promise<Buffer> {
  return attribute(options.origin, 'read', `blob ${blob.digest} of ${repository.name}`, options.signal, async () =>
    Buffer.concat(await Array.fromAsync(repository.fetchBlob(blob, options))),
  );
}
